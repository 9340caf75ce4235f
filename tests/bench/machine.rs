//! What the numbers were measured on.

use std::fs;

/// The machine, in a line.
pub fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let processor = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let memory = read("/proc/meminfo");
    let kibibytes: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    // SAFETY: it reads a number of this process and cannot fail.
    #[expect(unsafe_code, reason = "std does not tell who we are")]
    let root = if unsafe { libc::geteuid() } == 0 { ", as root" } else { "" };
    format!("{cores} x {processor}, {} MiB, Linux {}{root}; {}", kibibytes >> 10, kernel.trim(), load())
}

/// How busy it is, with us and everybody else.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = load.split(' ').next().unwrap_or("?");
    format!("load of the last minute {minute}")
}
