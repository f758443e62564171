//! Texts that are kept and hardly ever read: plans as they were shown. Packed, they are a tenth of their size, in the
//! database and on the way there.

use std::fmt::{self, Display};
use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use serde::Serialize;

/// A text, packed. The same text is the same bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Packs a text while it is written: all of it is never there at once.
    pub fn text(text: impl Display) -> Self {
        Self::written(|packer| write!(packer, "{text}"))
    }

    /// Packs a value as compact JSON.
    ///
    /// # Errors
    ///
    /// That of serde, for a value that is none in JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut done = Ok(());
        let packed = Self::written(|packer| {
            done = serde_json::to_writer(packer, value);
            Ok(())
        });
        done.map(|()| packed)
    }

    fn written(write: impl FnOnce(&mut ZlibEncoder<Vec<u8>>) -> io::Result<()>) -> Self {
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
        // Nothing that is written to memory fails.
        let packed = write(&mut packer).and_then(|()| packer.finish());
        Self(packed.unwrap_or_default())
    }

    /// The text.
    ///
    /// # Errors
    ///
    /// Where these bytes are no packed text: somebody else wrote them.
    pub fn unpack(&self) -> io::Result<String> {
        let mut text = String::new();
        ZlibDecoder::new(self.0.as_slice()).read_to_string(&mut text)?;
        Ok(text)
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.0.len())
    }
}

impl ToSql for Packed {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Packed {
    /// What was written before plans were packed is a text.
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Text(_) => value.as_str().map(Self::text),
            _ => value.as_blob().map(|bytes| Self(bytes.to_vec())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_again_and_is_smaller() {
        let text = "maple-a/subscriber/s-10442 vlan: 101 -> 111 — ok\n".repeat(1000);
        let packed = Packed::text(&text);
        assert_eq!(packed.unpack().unwrap(), text);
        assert!(packed.0.len() < text.len() / 10, "{packed:?}");
        assert_eq!(packed, Packed::text(&text));
        let json = Packed::json(&serde_json::json!({"a": [1, 2]})).unwrap();
        assert_eq!(json.unpack().unwrap(), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn both_forms_are_read_from_the_database_and_damage_is_an_error() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        let of = |sql: &str| db.query_row(sql, [], |row| row.get::<_, Packed>(0)).unwrap();
        assert_eq!(of("SELECT 'as before'").unpack().unwrap(), "as before");
        let packed = Packed::text("now");
        let read: Packed = db.query_row("SELECT ?1", [&packed], |row| row.get(0)).unwrap();
        assert_eq!(read.unpack().unwrap(), "now");
        assert!(of("SELECT x'0102'").unpack().is_err());
    }
}
