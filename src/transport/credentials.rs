//! Credentials by name.
