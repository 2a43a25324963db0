use std::{io, os::fd::AsFd};

use rustix::{
    io::fcntl_dupfd_cloexec,
    process::{Resource, getrlimit},
};

/// Makes the process's table of descriptors large enough for so many, or for as many as it may have.
///
/// It grows by itself, to twice as many each time. But then the thread that wants a descriptor, a worker that accepts, waits until every
/// processor has done something else in between (`expand_fdtable` in Linux's `fs/file.c`, `synchronize_rcu`): tens of milliseconds in which
/// it serves nobody. It never shrinks.
pub(crate) fn reserve(count: usize, any: impl AsFd) -> io::Result<()> {
    let most =
        getrlimit(Resource::Nofile).current.and_then(|most| i32::try_from(most).ok()).unwrap_or(i32::MAX);
    let last = i32::try_from(count).unwrap_or(i32::MAX).min(most) - 1;
    fcntl_dupfd_cloexec(any, last).map(drop)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap();
        size.trim().parse().unwrap()
    }

    #[test]
    fn there_is_room_before_it_is_needed() {
        assert!(room() < 900, "this process has opened that many already");
        reserve(900, io::stdin()).unwrap();
        assert!(room() >= 900);
        // More than it may have is as many as it may have.
        reserve(usize::MAX, io::stdin()).unwrap();
        assert!(room() > 900);
    }
}
