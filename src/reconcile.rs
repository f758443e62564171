//! The loop over a fleet: observe, plan, apply, verify, save, record.
