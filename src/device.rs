//! One device over its transports: sessions, gathering, sending commands.
