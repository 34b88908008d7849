//! The one place with `unsafe` of ours: SQLite's own file system with our questions put before the
//! operations that change something. Each open file keeps SQLite's structure and has ours behind it.

#![expect(unsafe_code, reason = "SQLite asks for a file system in C")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};

use rusqlite::ffi;

use super::{Change, Refusal, State, lock};

type Methods = ffi::sqlite3_io_methods;
type SqliteFile = ffi::sqlite3_file;

/// What lies behind SQLite's own structure of an open file.
#[repr(C)]
struct Behind {
    original: *const Methods,
    /// From `Box::into_raw`; null for a file that is none of ours.
    ours: *mut Ours,
}

struct Ours {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

/// Which folders are taken over.
static FOLDERS: Mutex<Vec<(PathBuf, Arc<Mutex<State>>)>> = Mutex::new(Vec::new());

/// SQLite's own file system, below ours.
struct Original(*mut ffi::sqlite3_vfs);
// SAFETY: SQLite's file systems may be used by any thread, and this one is never unregistered.
unsafe impl Send for Original {}
// SAFETY: as above; it is only read.
unsafe impl Sync for Original {}
static ORIGINAL: std::sync::OnceLock<Original> = std::sync::OnceLock::new();

pub(super) fn take_over(folder: &Path, state: Arc<Mutex<State>>) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    folders.push((folder.to_owned(), state));
}

pub(super) fn give_back(folder: &Path) {
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    folders.retain(|(taken, _)| taken != folder);
}

fn register() {
    // Also initialises SQLite and SQLCipher, before another file system becomes the default.
    drop(rusqlite::Connection::open_in_memory());
    // SAFETY: null asks for the default file system, which lives as long as the process.
    let original = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    assert!(!original.is_null(), "SQLite has a file system");
    ORIGINAL.get_or_init(|| Original(original));
    // SAFETY: `original` is a valid structure; a copy of it with other functions is one too, and is
    // leaked, because SQLite keeps the pointer.
    unsafe {
        let mut ours = *original;
        ours.szOsFile += c_int::try_from(size_of::<Behind>()).expect("two pointers");
        ours.zName = c"failing".as_ptr();
        ours.pNext = std::ptr::null_mut();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        let ours = Box::into_raw(Box::new(ours));
        assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
    }
}

fn original() -> *mut ffi::sqlite3_vfs {
    ORIGINAL.get().expect("set before we are called").0
}

/// The state of the folder in which `name` lies.
fn ours(name: *const c_char) -> Option<Ours> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite gives the name of a file as a C string.
    let name = unsafe { CStr::from_ptr(name) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes())).to_owned();
    let folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, state) = folders
        .iter()
        .find(|(folder, _)| path.starts_with(folder))?;
    Some(Ours {
        state: Arc::clone(state),
        path,
    })
}

fn code(refusal: Refusal) -> c_int {
    match refusal {
        Refusal::Io => ffi::SQLITE_IOERR,
        Refusal::Full => ffi::SQLITE_FULL,
    }
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn behind<'a>(file: *mut SqliteFile) -> &'a Behind {
    // SAFETY: SQLite gave `szOsFile` bytes, of which the first are the original's.
    unsafe {
        let size = usize::try_from((*original()).szOsFile).expect("a size");
        &*file.cast::<u8>().add(size).cast::<Behind>()
    }
}

/// # Safety
/// As [`behind`].
unsafe fn ours_of<'a>(file: *mut SqliteFile) -> Option<&'a Ours> {
    // SAFETY: the pointer is null or from `Box::into_raw`, and freed by `close` only.
    unsafe { behind(file).ours.as_ref() }
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut SqliteFile,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: the arguments are SQLite's own; the methods are replaced by ours, which know where the
    // original ones are kept.
    unsafe {
        let found = ours(name);
        if let Some(ours) = &found
            && lock(&ours.state).is_down
        {
            (*file).pMethods = std::ptr::null();
            return ffi::SQLITE_CANTOPEN;
        }
        let Some(open) = (*original()).xOpen else {
            return ffi::SQLITE_ERROR;
        };
        let result = open(original(), name, file, flags, flags_out);
        if (*file).pMethods.is_null() {
            return result;
        }
        if let Some(ours) = &found {
            let mut state = lock(&ours.state);
            if !state.files.contains_key(&ours.path) {
                let image = super::Image {
                    synced: std::fs::read(&ours.path).unwrap_or_default(),
                    unsynced: Vec::new(),
                };
                state.files.insert(ours.path.clone(), image);
            }
        }
        let size = usize::try_from((*original()).szOsFile).expect("a size");
        let place = file.cast::<u8>().add(size).cast::<Behind>();
        place.write(Behind {
            original: (*file).pMethods,
            ours: found.map_or(std::ptr::null_mut(), |ours| Box::into_raw(Box::new(ours))),
        });
        (*file).pMethods = &raw const METHODS;
        result
    }
}

unsafe extern "C" fn delete(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    if let Some(ours) = ours(name) {
        let mut state = lock(&ours.state);
        if let Err(refusal) = state.begin(false) {
            return code(refusal);
        }
        state.files.remove(&ours.path);
    }
    // SAFETY: the arguments are SQLite's own.
    unsafe {
        match (*original()).xDelete {
            Some(delete) => delete(original(), name, sync_folder),
            None => ffi::SQLITE_ERROR,
        }
    }
}

/// Passes a call on to the original method.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let original = &*behind($file).original;
        match original.$method {
            Some(method) => method($file $(, $argument)*),
            None => ffi::SQLITE_ERROR,
        }
    }};
}

unsafe extern "C" fn close(file: *mut SqliteFile) -> c_int {
    // SAFETY: SQLite closes a file once.
    unsafe {
        let ours = behind(file).ours;
        let result = pass!(file, xClose);
        if !ours.is_null() {
            drop(Box::from_raw(ours));
        }
        result
    }
}

unsafe extern "C" fn read(
    file: *mut SqliteFile,
    to: *mut c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the arguments are SQLite's own.
    unsafe {
        if let Some(ours) = ours_of(file) {
            let mut state = lock(&ours.state);
            if state.is_down {
                return ffi::SQLITE_IOERR_READ;
            }
            state.reads += 1;
        }
        pass!(file, xRead, to, count, at)
    }
}

unsafe extern "C" fn write(
    file: *mut SqliteFile,
    from: *const c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the arguments are SQLite's own: `count` bytes at `from`.
    unsafe {
        if let Some(ours) = ours_of(file) {
            let mut state = lock(&ours.state);
            if let Err(refusal) = state.begin(true) {
                return code(refusal);
            }
            let count = usize::try_from(count).expect("a length");
            let change = Change::Write {
                at: usize::try_from(at).expect("a place"),
                bytes: std::slice::from_raw_parts(from.cast::<u8>(), count).to_vec(),
            };
            state.changed(&ours.path, change);
        }
        pass!(file, xWrite, from, count, at)
    }
}

unsafe extern "C" fn truncate(file: *mut SqliteFile, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: the arguments are SQLite's own.
    unsafe {
        if let Some(ours) = ours_of(file) {
            let mut state = lock(&ours.state);
            if let Err(refusal) = state.begin(false) {
                return code(refusal);
            }
            let length = usize::try_from(length).expect("a length");
            state.changed(&ours.path, Change::Truncate { length });
        }
        pass!(file, xTruncate, length)
    }
}

unsafe extern "C" fn sync(file: *mut SqliteFile, flags: c_int) -> c_int {
    // SAFETY: the arguments are SQLite's own.
    unsafe {
        if let Some(ours) = ours_of(file) {
            let mut state = lock(&ours.state);
            if let Err(refusal) = state.begin(false) {
                return code(refusal);
            }
            state.synced(&ours.path);
            // What is synced is what our image says; the real disk need not be waited for.
            return ffi::SQLITE_OK;
        }
        pass!(file, xSync, flags)
    }
}

unsafe extern "C" fn file_size(file: *mut SqliteFile, size: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: the arguments are SQLite's own; so in all that follow.
    unsafe { pass!(file, xFileSize, size) }
}

unsafe extern "C" fn take_lock(file: *mut SqliteFile, level: c_int) -> c_int {
    // SAFETY: see above.
    unsafe { pass!(file, xLock, level) }
}

unsafe extern "C" fn unlock(file: *mut SqliteFile, level: c_int) -> c_int {
    // SAFETY: see above.
    unsafe { pass!(file, xUnlock, level) }
}

unsafe extern "C" fn check_reserved_lock(file: *mut SqliteFile, is_taken: *mut c_int) -> c_int {
    // SAFETY: see above.
    unsafe { pass!(file, xCheckReservedLock, is_taken) }
}

unsafe extern "C" fn file_control(
    file: *mut SqliteFile,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe { pass!(file, xFileControl, operation, argument) }
}

unsafe extern "C" fn sector_size(file: *mut SqliteFile) -> c_int {
    // SAFETY: see above.
    unsafe { pass!(file, xSectorSize) }
}

/// No promise of any kind: no atomic write, no order, no safe append.
unsafe extern "C" fn device_characteristics(_file: *mut SqliteFile) -> c_int {
    0
}

unsafe extern "C" fn shared_map(
    file: *mut SqliteFile,
    page: c_int,
    page_size: c_int,
    extend: c_int,
    to: *mut *mut c_void,
) -> c_int {
    // SAFETY: see above.
    unsafe { pass!(file, xShmMap, page, page_size, extend, to) }
}

unsafe extern "C" fn shared_lock(
    file: *mut SqliteFile,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: see above.
    unsafe { pass!(file, xShmLock, offset, count, flags) }
}

unsafe extern "C" fn shared_barrier(file: *mut SqliteFile) {
    // SAFETY: see above.
    unsafe {
        if let Some(barrier) = (*behind(file).original).xShmBarrier {
            barrier(file);
        }
    }
}

unsafe extern "C" fn shared_unmap(file: *mut SqliteFile, delete: c_int) -> c_int {
    // SAFETY: see above.
    unsafe { pass!(file, xShmUnmap, delete) }
}

/// Version 2: shared memory for the log, no memory-mapped pages, which would be written past us.
static METHODS: Methods = Methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(take_lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shared_map),
    xShmLock: Some(shared_lock),
    xShmBarrier: Some(shared_barrier),
    xShmUnmap: Some(shared_unmap),
    xFetch: None,
    xUnfetch: None,
};
