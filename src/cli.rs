//! Words, exit codes and pages.
