//! Attachment bytes, kept encrypted in chunks beside the documents; for the device's and the ward's file alike.
