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
/// Most bytes of edits that a ward puts into one page. What surrounds 1,000 edits (ids, salts, writers)
/// is under 120 KiB, so a page within this bound always seals within [`PAGE_BYTES_MAX`], even if
/// nothing in it compresses.
pub const PAGE_BODY_BYTES_MAX: usize = 384 * 1024;
/// Most documents that one page asks a device to forget. A ward counts their 17 bytes each as it
/// counts bodies.
pub const FORGOTTEN_DOCUMENTS_MAX: usize = 8_192;
/// Most tombstones of a page, 91 bytes each; they count as bodies do. More than a ward will ever purge between two
/// meetings with a phone.
pub const TOMBSTONES_MAX: usize = 4_096;
/// Most pages that the ward sends before the device has stored the first of them: enough that an
/// ordinary return needs no second wait, little enough for a phone to hold.
pub const PAGES_IN_FLIGHT_MAX: usize = 4;
/// As [`PAGES_IN_FLIGHT_MAX`] for a device that stays: what comes is little and comes at once. One that is
/// slow costs the ward a page each way, and reads the rest from the feed when it has taken that.
pub const PAGES_FOLLOWED_MAX: usize = 2;
/// Most pages given back after a restore without the ward's word.
pub const RETURNS_IN_FLIGHT_MAX: usize = 2;
/// Longest cursor; ours has at most 106 bytes, the rest is room for later wards.
pub const CURSOR_BYTES_MAX: usize = 128;
/// Longest version of an app.
pub const APP_VERSION_BYTES_MAX: usize = 64;
/// Largest frame of any kind, header included.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// Largest attachment.
pub const ATTACHMENT_BYTES_MAX: usize = 10 * 1024 * 1024;
/// How much of an attachment may be under way without the other side's word that it is kept: two
/// seconds on a village mast, which is what a record made meanwhile waits at most, and what is sent
/// again at most after either side was killed.
pub const ATTACHMENT_CHUNK_BYTES: usize = 64 * 1024;
/// How much of an attachment one frame carries; each part is checked and kept by itself.
pub const ATTACHMENT_PART_BYTES: usize = 16 * 1024;
/// Most parts of an attachment.
pub const ATTACHMENT_PARTS_MAX: usize = ATTACHMENT_BYTES_MAX / ATTACHMENT_PART_BYTES;
/// Most files that a ward names in its welcome because it lacks them.
pub const LACKED_ATTACHMENTS_MAX: usize = 64;
/// Most attachments offered without the ward's final word: the next offer travels while the present
/// file does.
pub const ATTACHMENTS_IN_FLIGHT_MAX: usize = 2;
/// Largest directory, compressed: 3,000 areas and 500 people are about 100 KiB.
pub const DIRECTORY_BYTES_MAX: usize = 512 * 1024;
/// Largest directory once decompressed.
pub const DIRECTORY_CONTENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most edits that a device may ask for at once.
pub const WANTED_EDITS_MAX: usize = 1_000;
/// Most edits that a device asks for by name in one conversation, each once; 2 MiB of names.
pub const WANTED_EDITS_PER_CONVERSATION_MAX: usize = 65_536;
/// Longest words by which a device asks for a case: twice an official number or a uuid.
pub const LOOK_BYTES_MAX: usize = 72;
/// Most bundles under way without a verdict.
pub const BUNDLES_IN_FLIGHT_MAX: usize = 4;
/// How often one bundle is sent in one conversation: once, and once more when what it waited for
/// has been accepted.
pub const BUNDLE_SENDS_MAX: u8 = 2;
/// How many bytes may wait for a slow device before the ward stops working for it.
pub const OUTBOUND_BYTES_MAX: usize = 1024 * 1024;
/// Small frames are handed to the transport together up to this size.
pub const TRANSMIT_BYTES: usize = 64 * 1024;
/// Most ranges that one message compares: 18 KiB of sums.
pub const QUESTIONS_MAX: usize = 128;
/// Most edits that one answer names: 256 KiB.
pub const LISTED_EDITS_MAX: usize = 8_192;
/// Most comparisons in one conversation: sets that differ in more are compared further in the next one.
pub const COMPARISONS_MAX: usize = 64;
/// Most edits that a device notes as lacking in one comparison: as many as it may ask for.
pub const COMPARED_EDITS_MAX: usize = WANTED_EDITS_PER_CONVERSATION_MAX;
/// Most ranges that wait to be compared.
pub const COMPARED_PREFIXES_MAX: usize = 65_536;
/// Largest rescue file that a revoked device may hand over by the network: what an officer recorded in weeks
/// without one, a hundred photos among it. A larger one is carried to the office.
pub const HAND_OVER_BYTES_MAX: usize = 64 * 1024 * 1024;
