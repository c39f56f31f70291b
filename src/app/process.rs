//! What metrics show of the process itself, under the names that every client library of Prometheus has for it. On Linux, where the
//! system says it in files.

/// Reads it anew, for whoever scrapes now.
#[cfg(target_os = "linux")]
pub(super) fn observe() {
    use rustix::param::{clock_ticks_per_second, page_size};

    let ticks = number(clock_ticks_per_second());
    // The name of the program, in parentheses, may have spaces: what is counted comes after it.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit_once(") ")
        .map(|(_, rest)| rest.split(' ').map(|field| field.trim().parse().unwrap_or_default()).collect())
        .unwrap_or_default();
    // Numbers of proc(5), of which the third is the first here.
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or_default();
    metrics::gauge!("process_resident_memory_bytes").set(field(24) * number(page_size() as u64));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since the start are few")]
    metrics::counter!("process_cpu_seconds_total").absolute(((field(14) + field(15)) / ticks) as u64);
    if let Some(booted) = boot_time() {
        metrics::gauge!("process_start_time_seconds").set(booted + field(22) / ticks);
    }
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    metrics::gauge!("process_open_fds").set(number(open as u64));
    if let Some(most) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        metrics::gauge!("process_max_fds").set(number(most));
    }
}

#[cfg(target_os = "linux")]
fn boot_time() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

#[cfg(target_os = "linux")]
fn number(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "what is shown need not be exact beyond 2^53")]
    {
        count as f64
    }
}

/// Other systems say it elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn observe() {}
