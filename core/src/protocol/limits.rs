//! Bounds of the conversation, checked before memory is reserved.

/// Most addresses of a ward: office network, public name and address, a spare of each.
pub const ADDRESSES_MAX: usize = 8;
/// Longest address: a DNS name is at most 253 bytes, a port adds six.
pub const ADDRESS_BYTES_MAX: usize = 259;
/// Longest name of a device.
pub const DEVICE_NAME_BYTES_MAX: usize = 64;
/// Largest content of an invite: eight addresses of the longest kind.
pub const INVITE_BYTES_MAX: usize = 2_304;
/// Largest message of an enrolment.
pub const ENROLMENT_BYTES_MAX: usize = 4_096;
/// Largest sealed bundle: at 64 KiB/s of a village mast, four seconds.
pub const BUNDLE_BYTES_MAX: usize = 256 * 1024;
/// Largest content of a bundle or page once decompressed.
pub const BUNDLE_CONTENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most edits in one bundle or page.
pub const BUNDLE_EDITS_MAX: usize = 1_000;
/// Largest page of the feed, compressed.
pub const PAGE_BYTES_MAX: usize = 512 * 1024;
/// Largest frame of any kind, header included.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// Largest attachment.
pub const ATTACHMENT_BYTES_MAX: usize = 10 * 1024 * 1024;
/// How much of an attachment one frame carries.
pub const ATTACHMENT_CHUNK_BYTES: usize = 64 * 1024;
/// Largest directory, compressed: 3,000 areas and 500 people are about 100 KiB.
pub const DIRECTORY_BYTES_MAX: usize = 512 * 1024;
/// Most edits that a device may ask for at once.
pub const WANTED_EDITS_MAX: usize = 1_000;
/// Most bundles under way without a verdict.
pub const BUNDLES_IN_FLIGHT_MAX: usize = 4;
