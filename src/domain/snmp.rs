//! Values as SNMP carries them, free of any library's types.

/// The value of one variable binding.
///
/// Lets the transport hand over what it received without knowing what it means, and `dialect` read it
/// without knowing how it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SnmpValue {
    /// INTEGER, Integer32.
    Integer(i64),
    /// Gauge32, Unsigned32, Counter32, Counter64.
    Unsigned(u64),
    /// OCTET STRING: text, MAC addresses, bitmaps.
    Bytes(Vec<u8>),
    /// OBJECT IDENTIFIER.
    Oid(Vec<u64>),
    /// TimeTicks: hundredths of a second.
    Ticks(u32),
    /// noSuchObject, noSuchInstance, endOfMibView or NULL: the device has no such value.
    Absent,
}
