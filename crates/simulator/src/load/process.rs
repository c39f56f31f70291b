//! What Linux reports of processes: processor time, bytes written, memory.

use std::io;
use std::time::Duration;

/// Ticks of the processor clock in a second (`getconf CLK_TCK`, 100 on every Linux).
const TICKS_PER_SECOND: u64 = 100;

/// What a process, or a family of them, used since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    ticks: u64,
    own_kilobytes: u64,
    io: Option<Bytes>,
}

/// What was written since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bytes {
    /// Passed to the file system to be stored (`write_bytes`).
    pub stored: u64,
    /// Passed to `write` and its kin, to sockets, too (`wchar`).
    pub passed: u64,
}

/// What was used between two looks.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// Processor time.
    pub processor: Duration,
    /// What was written; unknown where the process is somebody else's.
    pub io: Option<Bytes>,
    /// Memory at the second look, in kB (1,024 bytes).
    pub own_kilobytes: u64,
}

impl Usage {
    /// Of one process.
    pub fn of_process(pid: u32) -> io::Result<Self> {
        let stat = Stat::read(pid)?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        Ok(Self { ticks: stat.own, own_kilobytes: own_memory(&status).unwrap_or(0), io: read_io(pid) })
    }

    /// Of a process and its children, those that ended included: a PostgreSQL server by the process that was started.
    pub fn of_family(pid: u32) -> io::Result<Self> {
        let parent = Stat::read(pid)?;
        let mut usage = Self::of_process(pid)?;
        usage.ticks += parent.ended_children;
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let Some(child) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            // One that has ended meanwhile counts as an ended child the next time.
            if let (Ok(stat), Ok(of_child)) = (Stat::read(child), Self::of_process(child))
                && stat.parent == pid
            {
                usage.ticks += stat.own;
                usage.own_kilobytes += of_child.own_kilobytes;
                usage.io = usage
                    .io
                    .zip(of_child.io)
                    .map(|(sum, more)| Bytes { stored: sum.stored + more.stored, passed: sum.passed + more.passed });
            }
        }
        Ok(usage)
    }

    /// What was used since an earlier look.
    pub fn since(&self, earlier: &Self) -> Spent {
        let ticks = self.ticks.saturating_sub(earlier.ticks);
        Spent {
            processor: Duration::from_millis(ticks * (1_000 / TICKS_PER_SECOND)),
            io: self.io.zip(earlier.io).map(|(now, then)| Bytes {
                stored: now.stored.saturating_sub(then.stored),
                passed: now.passed.saturating_sub(then.passed),
            }),
            own_kilobytes: self.own_kilobytes,
        }
    }

    /// Memory, in kB.
    pub const fn own_kilobytes(&self) -> u64 {
        self.own_kilobytes
    }

    /// How much memory grew since an earlier look, in kB; 0 where some was given back.
    pub const fn kilobytes_since(&self, earlier: &Self) -> u64 {
        self.own_kilobytes.saturating_sub(earlier.own_kilobytes)
    }
}

/// Of `/proc/<pid>/stat` (proc(5)), in ticks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) parent: u32,
    pub(super) own: u64,
    /// Of children that ended and were waited for.
    pub(super) ended_children: u64,
}

impl Stat {
    fn read(pid: u32) -> io::Result<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::parse(&text).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is not as Linux writes it")))
    }

    /// Fields 4 and 14 to 17, counted behind the name in brackets, which may have brackets, too.
    pub(super) fn parse(stat: &str) -> Option<Self> {
        let (_, behind) = stat.rsplit_once(')')?;
        let mut fields = behind.split_whitespace().skip(1);
        let parent = fields.next()?.parse().ok()?;
        let mut times = fields.skip(9).map(|field| field.parse::<u64>().ok());
        let mut time = || times.next().flatten();
        let own = time()? + time()?;
        Some(Self { parent, own, ended_children: time()? + time()? })
    }
}

/// `RssAnon` of `/proc/<pid>/status`, in kB: without the pages of files that are mapped, SQLite's among them, which the kernel takes back
/// when it needs them.
pub(super) fn own_memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `/proc/<pid>/io`, which only the owner of a process may read.
fn read_io(pid: u32) -> Option<Bytes> {
    parse_io(&std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?)
}

pub(super) fn parse_io(text: &str) -> Option<Bytes> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok();
    Some(Bytes { stored: field("write_bytes:")?, passed: field("wchar:")? })
}
