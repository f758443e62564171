//! What gamops remembers between runs, in SQLite.
