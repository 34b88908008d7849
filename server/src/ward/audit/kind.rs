//! What can be done that the audit trail tells of, as code words.

macro_rules! kinds {
    ($($(#[$words:meta])* $name:ident = $code:literal,)*) => {
        /// What was done, or tried.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$words])* $name,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in the table; it never changes.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

kinds! {
    /// The ward was made.
    WardMade = "ward_made",
    /// Edits came from a device, and met these verdicts.
    Admission = "admission",
    /// Somebody at the console changed documents.
    ConsoleEdit = "console_edit",
    /// Somebody at the console opened a restricted case.
    RestrictedRead = "restricted_read",
    /// Records left the ward as a file.
    Export = "export",
    /// Somebody tried to sign in.
    SignIn = "sign_in",
    /// Somebody signed out.
    SignOut = "sign_out",
    /// A session was ended by somebody else than its owner, or by another password.
    SessionEnded = "session_ended",
    /// A member of staff came.
    StaffAdded = "staff_added",
    /// A password, a role or a second factor of a member of staff is another.
    StaffChanged = "staff_changed",
    /// An officer came.
    OfficerAdded = "officer_added",
    /// An officer has other areas.
    AreasGiven = "areas_given",
    /// The ward's tree of areas is another.
    AreasChanged = "areas_changed",
    /// An invite was made.
    InviteMade = "invite_made",
    /// An invite was used, or tried.
    InviteUsed = "invite_used",
    /// An invite is void.
    InviteRevoked = "invite_revoked",
    /// A device is locked out.
    DeviceRevoked = "device_revoked",
    /// A revoked device was told to wipe itself, or said that it has.
    DeviceWiped = "device_wiped",
    /// What a revoked device still had was taken, let in or thrown away.
    Quarantine = "quarantine",
    /// A device or the ward has another key.
    KeyRotated = "key_rotated",
    /// How long phones hold what is finished is another.
    HoldChanged = "hold_changed",
    /// Numbering goes on after a restore.
    NumberingResumed = "numbering_resumed",
    /// A rescue file was taken.
    RescueTaken = "rescue_taken",
    /// A phone gave back what a restored ward had lost.
    TakenBack = "taken_back",
    /// The ward was found to be restored: a new life of the feed began.
    EpochBegan = "epoch_began",
    /// A backup was written.
    BackupMade = "backup_made",
    /// Backups are sealed to another recovery key from now on.
    RecoveryKeyMade = "recovery_key_made",
    /// The ward was put back from a backup.
    Restored = "restored",
    /// A case was found to be a denunciation and purged.
    Reclassified = "reclassified",
    /// A person was erased.
    PersonErased = "person_erased",
    /// A person asked for something about their data, or was answered.
    CitizenRequest = "citizen_request",
    /// A person was given what is held of them.
    SubjectAccess = "subject_access",
    /// The sealed register was opened or changed.
    SealedRegister = "sealed_register",
    /// The ward wrote edits itself, such as numbers of cases that waited for them.
    FeedGrew = "feed_grew",
    /// Rules of retention were applied or changed.
    Retention = "retention",
    /// Entries of this trail no longer say which record they were about.
    SubjectsForgotten = "subjects_forgotten",
}

impl Kind {
    /// The kind of a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}
