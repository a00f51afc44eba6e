//! Waiting without asking: for the end of a job of ours, for a signal that ends this process, or for time to pass.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::mem::take;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::spawn;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

use crate::domain::model::JobState;
use crate::ports::{JobSpec, PortResult, Runner};

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// A job that was at work is not any more.
    Job,
    Due,
    /// This process is asked to end.
    Ended,
}

enum Message {
    Job(PathBuf),
    Ended,
}

/// The folders of jobs that were at work when they were last looked at.
pub type AtWork = Rc<RefCell<BTreeSet<PathBuf>>>;

pub struct Waker {
    sender: Sender<Message>,
    messages: Receiver<Message>,
    ended: Arc<AtomicBool>,
    at_work: AtWork,
    /// The jobs whose locks a thread waits for.
    awaited: BTreeSet<PathBuf>,
}

impl Waker {
    /// From here on SIGTERM and SIGINT wake; the second of them ends the process as ever.
    pub fn new() -> io::Result<Self> {
        let (sender, messages) = channel();
        let ended = Arc::new(AtomicBool::new(false));
        let (mut read, write) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            flag::register_conditional_default(signal, Arc::clone(&ended))?;
            flag::register(signal, Arc::clone(&ended))?;
            pipe::register(signal, write.try_clone()?)?;
        }
        let told = sender.clone();
        spawn(move || {
            if read.read_exact(&mut [0]).is_ok() {
                // Nobody listens any more: it ends anyway.
                drop(told.send(Message::Ended));
            }
        });
        Ok(Self { sender, messages, ended, at_work: AtWork::default(), awaited: BTreeSet::new() })
    }

    /// Set once this process is asked to end.
    pub fn ended(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.ended)
    }

    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    pub fn at_work(&self) -> AtWork {
        Rc::clone(&self.at_work)
    }

    /// Sleeps, `most` at the longest.
    pub fn wait(&mut self, most: Duration) -> Woken {
        let at_work = take(&mut *self.at_work.borrow_mut());
        for job in at_work {
            self.watch(job);
        }
        let mut woken = Woken::Due;
        let mut next = self.messages.recv_timeout(most).ok();
        // Jobs that end together are looked at together.
        while let Some(message) = next {
            match message {
                Message::Job(job) => {
                    self.awaited.remove(&job);
                    woken = Woken::Job;
                }
                Message::Ended => break,
            }
            next = self.messages.try_recv().ok();
        }
        if self.has_ended() { Woken::Ended } else { woken }
    }

    /// A supervisor holds its job's lock for as long as it lives. A job without a lock is another program's.
    fn watch(&mut self, job: PathBuf) {
        if self.awaited.contains(&job) {
            return;
        }
        let Ok(lock) = File::open(job.join("lock")) else { return };
        self.awaited.insert(job.clone());
        let told = self.sender.clone();
        spawn(move || {
            while flock(&lock, FlockOperation::LockShared) == Err(rustix::io::Errno::INTR) {}
            drop(lock);
            drop(told.send(Message::Job(job)));
        });
    }
}

/// A runner that notes which jobs are at work.
pub struct Noting<R> {
    pub runner: R,
    pub at_work: AtWork,
}

impl<R: Runner> Runner for Noting<R> {
    fn start(&self, job: &JobSpec) -> PortResult<()> {
        self.runner.start(job)?;
        self.at_work.borrow_mut().insert(job.dir.clone());
        Ok(())
    }

    fn state(&self, dir: &Path) -> PortResult<JobState> {
        let state = self.runner.state(dir)?;
        match state {
            JobState::Running { .. } => self.at_work.borrow_mut().insert(dir.to_owned()),
            JobState::NotStarted | JobState::Orphaned | JobState::Over(_) => {
                self.at_work.borrow_mut().remove(dir)
            }
        };
        Ok(state)
    }

    fn stop(&self, dir: &Path, id: &str) -> PortResult<()> {
        self.runner.stop(dir, id)
    }

    fn wait(&self, dir: &Path) -> PortResult<()> {
        self.runner.wait(dir)
    }
}
