//! A job of the system: every process that a program starts belongs to it, so all of them can be seen and ended together.
//! The one file with `unsafe`, since neither std nor a well-kept crate starts a program suspended, puts it into a job and
//! lets it go: a program that already runs could start others before the job has it.
//!
//! Source: Microsoft Learn, "Job Objects", "Process Creation Flags", "Taking a Snapshot and Viewing Processes".
#![allow(
    unsafe_code,
    reason = "the system's interface to jobs has no safe form; each block says why it is sound"
)]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::process::Child;

use windows_sys::Win32::Foundation::{
    ERROR_MORE_DATA, HANDLE, HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, SetHandleInformation,
};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent, GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE,
    STD_OUTPUT_HANDLE,
};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectBasicProcessIdList,
    JobObjectExtendedLimitInformation, QueryInformationJobObject, SetInformationJobObject,
    TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CREATE_SUSPENDED, OpenProcess, OpenThread, PROCESS_NAME_WIN32,
    PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW, ResumeThread,
    THREAD_SUSPEND_RESUME,
};

/// How a program must be created for [`Job::take_in`]: suspended, and where Ctrl-C of the console does not reach it but
/// [`ask_to_end`] does.
pub(super) const CREATED: u32 = CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP;

/// The exit status of what is ended with its job.
const ENDED: u32 = 1;

/// A job, empty at first.
#[derive(Debug)]
pub(super) struct Job(OwnedHandle);

/// What the system tells of the processes of a job.
#[repr(C)]
struct Listed {
    in_job: u32,
    listed: u32,
    ids: [usize; Job::LISTED_AT_MOST],
}

impl Job {
    const LISTED_AT_MOST: usize = 512;

    /// A job whose processes end with this one, however this one ends; where they may live on, only by [`Job::end`].
    ///
    /// # Errors
    /// The system gives none.
    pub(super) fn new(may_live_on: bool) -> io::Result<Job> {
        // SAFETY: both pointers may be null: the usual rights, no name.
        let handle = owned(unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) })?;
        if !may_live_on {
            let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
            limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
            // SAFETY: `limits` is what that class takes, and lives as long as the call.
            done(unsafe {
                SetInformationJobObject(
                    handle.as_raw_handle(),
                    JobObjectExtendedLimitInformation,
                    (&raw const limits).cast(),
                    size_of_val(&limits) as u32,
                )
            })?;
        }
        Ok(Job(handle))
    }

    /// Takes in a program that was created as [`CREATED`] says, and lets it run.
    ///
    /// # Errors
    /// The system does not; the program is still suspended.
    pub(super) fn take_in(&self, child: &Child) -> io::Result<()> {
        // SAFETY: both handles are open: `self` and `child` own them.
        done(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), child.as_raw_handle()) })?;
        resume(child.id())
    }

    /// The processes that live in it.
    pub(super) fn processes(&self) -> Vec<u32> {
        let mut listed = Listed {
            in_job: 0,
            listed: 0,
            ids: [0; Job::LISTED_AT_MOST],
        };
        // SAFETY: `listed` is laid out as JOBOBJECT_BASIC_PROCESS_ID_LIST with room for more ids, and its size is given.
        let told = done(unsafe {
            QueryInformationJobObject(
                self.0.as_raw_handle(),
                JobObjectBasicProcessIdList,
                (&raw mut listed).cast(),
                size_of_val(&listed) as u32,
                std::ptr::null_mut(),
            )
        });
        match told {
            Err(error) if error.raw_os_error() != Some(ERROR_MORE_DATA as i32) => vec![],
            // Where there are more, those that fit are listed.
            _ => {
                let ids = listed.ids.iter().take(listed.listed as usize);
                ids.map(|id| *id as u32).collect()
            }
        }
    }

    /// Ends all its processes at once.
    pub(super) fn end(&self) {
        // SAFETY: the handle is open. That nothing is left to end is no failure.
        unsafe { TerminateJobObject(self.0.as_raw_handle(), ENDED) };
    }
}

/// Keeps the streams of this process out of what programs inherit: one that lives on would hold them open, and whoever reads
/// our output would wait for it.
pub(super) fn keep_own_streams() {
    for which in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        // SAFETY: both take numbers; a handle that is none is refused. What is to be inherited, std duplicates for that.
        unsafe { SetHandleInformation(GetStdHandle(which), HANDLE_FLAG_INHERIT, 0) };
    }
}

/// Asks a program that was created as [`CREATED`] says, and what it started, to end. Gives whether they were told.
pub(super) fn ask_to_end(child: &Child) -> bool {
    // SAFETY: it takes two numbers; the program's is that of its process group.
    unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, child.id()) != 0 }
}

/// The program's file of a process; none where it is gone.
pub(super) fn image(process: u32) -> Option<String> {
    // SAFETY: it takes three numbers.
    let handle = owned(unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, process) });
    let handle = handle.ok()?;
    let mut name = [0u16; 1024];
    let mut length = name.len() as u32;
    // SAFETY: `length` is how many units `name` has room for.
    done(unsafe {
        QueryFullProcessImageNameW(
            handle.as_raw_handle(),
            PROCESS_NAME_WIN32,
            name.as_mut_ptr(),
            &raw mut length,
        )
    })
    .ok()?;
    Some(String::from_utf16_lossy(&name[..length as usize]))
}

/// Lets every thread of a suspended process run: it has but its first.
fn resume(process: u32) -> io::Result<()> {
    // SAFETY: it takes two numbers.
    let snapshot = owned(unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) })?;
    let mut entry = THREADENTRY32 {
        dwSize: size_of::<THREADENTRY32>() as u32,
        ..THREADENTRY32::default()
    };
    let mut resumed = false;
    // SAFETY: `entry` is one of its kind, and says its own size.
    let mut more = unsafe { Thread32First(snapshot.as_raw_handle(), &raw mut entry) };
    while more != 0 {
        if entry.th32OwnerProcessID == process {
            // SAFETY: it takes three numbers.
            let thread = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, entry.th32ThreadID) };
            let thread = owned(thread)?;
            // SAFETY: the handle is open, with the right to do that.
            resumed |= unsafe { ResumeThread(thread.as_raw_handle()) } != u32::MAX;
        }
        // SAFETY: as above.
        more = unsafe { Thread32Next(snapshot.as_raw_handle(), &raw mut entry) };
    }
    match resumed {
        true => Ok(()),
        false => Err(io::Error::other("its first thread cannot be let go")),
    }
}

fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, for us alone, and is to be closed as handles are.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn done(result: i32) -> io::Result<()> {
    match result {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
