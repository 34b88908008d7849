//! The rescue file: everything unsent, sealed to the ward, for the day a phone will not connect.
