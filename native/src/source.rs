//! Where a result's bytes come from: a socket's descriptor, read in large pieces, or anything that can be read.

use crate::error::Result;
#[cfg(unix)]
pub use unix::Socket;

/// Called while waiting and between batches; its error ends the read.
pub type Tick<'a> = &'a mut dyn FnMut() -> Result<()>;

pub trait Source: Send {
    /// Reads at least one byte, or fails.
    fn read(&mut self, into: &mut [u8], tick: Tick) -> Result<usize>;
}

/// Sockets by their descriptor. Windows has none: there a result is read through whoever holds the connection.
#[cfg(unix)]
mod unix {
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::net::{RecvFlags, recv};

    use super::{Source, Tick};
    use crate::error::{Error, Result};

    /// How long a wait lasts before the caller may look for signals.
    const TICK: Duration = Duration::from_millis(200);

    /// How long more may come before it is read, once rows flow. A server writes pieces of 16 kB; to wake up for each
    /// costs reader and server as much as what is done with it.
    const PAUSE: Duration = Duration::from_micros(300);

    /// A read of at least this much says that rows flow.
    const FLOW: usize = 8 << 10;

    pub struct Socket {
        fd: OwnedFd,
        timeout: Option<Duration>,
        is_flowing: bool,
    }

    impl Socket {
        /// The descriptor is the reader's own, a duplicate: whoever closes the connection does not take it away.
        pub fn new(fd: OwnedFd, timeout: Option<Duration>) -> Self {
            Self { fd, timeout, is_flowing: false }
        }

        fn wait(&self, deadline: Option<Instant>) -> Result<()> {
            let left = deadline.map_or(TICK, |at| at.saturating_duration_since(Instant::now()).min(TICK));
            let span = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
            match poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], Some(&span)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(Error::Lost(error.to_string())),
            }
            if deadline.is_some_and(|at| Instant::now() >= at) {
                let seconds = self.timeout.unwrap_or_default().as_secs_f64();
                return Err(Error::Lost(format!("the server sent nothing for {seconds} s")));
            }
            Ok(())
        }
    }

    impl Source for Socket {
        fn read(&mut self, into: &mut [u8], tick: Tick) -> Result<usize> {
            let mut deadline = None;
            loop {
                // A socket with a timeout is non-blocking, one without blocks: the flag makes both alike.
                match recv(&self.fd, &mut *into, RecvFlags::DONTWAIT) {
                    Ok((_, 0)) => return Err(Error::Lost("the server closed it in the middle of a result".into())),
                    Ok((_, count)) => {
                        self.is_flowing = count >= FLOW;
                        return Ok(count);
                    }
                    Err(Errno::AGAIN) => {
                        deadline = deadline.or_else(|| self.timeout.map(|timeout| Instant::now() + timeout));
                        self.wait(deadline)?;
                        if self.is_flowing {
                            std::thread::sleep(PAUSE);
                        }
                        tick()?;
                    }
                    Err(Errno::INTR) => tick()?,
                    Err(error) => return Err(Error::Lost(error.to_string())),
                }
            }
        }
    }
}
