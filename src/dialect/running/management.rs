//! The address under which a device is managed, by its own configuration.

use std::net::Ipv4Addr;

use crate::observed::RunningConfig;

/// The first address of a VLAN interface, such as `ip address 192.168.10.1 255.255.255.0` (CLI guide; factory state). `None`
/// where there is none, or the device has it from a DHCP server.
#[must_use]
pub fn management_address(running: &RunningConfig) -> Option<Ipv4Addr> {
    let mut on_vlan = false;
    running.other.iter().find_map(|line| {
        if !line.starts_with(' ') {
            on_vlan = line.starts_with("interface vlan ");
        }
        let address = line.trim().strip_prefix("ip address ").filter(|_| on_vlan)?;
        address.split_whitespace().next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_vlan_interface_is_found_and_no_other() {
        let of = |text: &str| management_address(&super::super::parse(text).unwrap()).map(|found| found.to_string());
        let text = "interface 10GigabitEthernet 1/1\n ip address 10.0.0.1 255.0.0.0\ninterface vlan 1\n ip address 10.20.0.11 255.255.255.0\nend\n";
        assert_eq!(of(text).as_deref(), Some("10.20.0.11"));
        assert_eq!(of("interface vlan 1\n ip address dhcp\nend\n"), None);
        assert_eq!(of("ip route 0.0.0.0 0.0.0.0 10.20.0.1\nend\n"), None);
    }
}
