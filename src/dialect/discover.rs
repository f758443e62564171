//! `show ghn discover all` text to the endpoints that are there.

use crate::domain::{MacAddr, PortNumber};
use crate::observed::SeenEndpoint;

/// Reads the table: port, MAC, configured, up. Rows of endpoints that are configured and absent are left out.
///
/// Columns wander from one firmware to the next (CLI guide; a line seen on 1.5.4), so words count and places do not;
/// headings and whatever else is no such row are passed over.
#[must_use]
pub fn parse(text: &str) -> Vec<SeenEndpoint> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [port, mac, _, up] = words.as_slice() else {
            return None;
        };
        let port = PortNumber::try_from(port.parse::<u64>().ok()?).ok()?;
        let mac = mac.parse::<MacAddr>().ok()?;
        up.eq_ignore_ascii_case("yes").then_some(SeenEndpoint { port, mac })
    };
    text.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_guide_and_of_hardware_are_read_and_absent_endpoints_left_out() {
        let text = "Port MACAddress        Configured IsUP\n\
            -----------------------------------------\n  \
            1   00:0E:D8:13:00:E2 yes        yes\n \
            10   00:0E:D8:13:00:DC no         yes\n \
            4    00:0E:D8:1C:95:08  yes         no\n";
        let seen: Vec<String> = parse(text)
            .iter()
            .map(|one| format!("{} {}", one.port, one.mac))
            .collect();
        assert_eq!(seen, ["1 00:0e:d8:13:00:e2", "10 00:0e:d8:13:00:dc"]);
    }
}
