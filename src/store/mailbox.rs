//! Answers on their way to the threads whose tasks wait for them: all that one commit has for a thread wake it once.
//!
//! A thread that was woken for each answer would be woken by a system call each, and most of an answer's time would be that.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::pool::WriteJob;

type Answer = Box<dyn WriteJob>;

/// What waits for one thread.
#[derive(Default)]
pub(super) struct Mailbox {
    answers: Mutex<Vec<Answer>>,
    came: Notify,
}

thread_local! {
    static HERE: RefCell<Option<Arc<Mailbox>>> = const { RefCell::new(None) };
}

/// Gives this thread a mailbox, from which a task of its own runtime takes what comes.
pub fn open() {
    let mailbox = Arc::new(Mailbox::default());
    HERE.with_borrow_mut(|here| *here = Some(Arc::clone(&mailbox)));
    actix_web::rt::spawn(async move {
        loop {
            mailbox.came.notified().await;
            let answers = std::mem::take(&mut *mailbox.answers.lock().unwrap_or_else(PoisonError::into_inner));
            answers.into_iter().for_each(|job| job.answer());
        }
    });
}

/// That of this thread, if it has one.
pub(super) fn here() -> Option<Arc<Mailbox>> {
    HERE.with_borrow(Clone::clone)
}

/// Answers jobs that were committed together.
pub(super) fn answer_all(jobs: Vec<Answer>) {
    let mut by_thread: Vec<(Arc<Mailbox>, Vec<Answer>)> = Vec::new();
    for job in jobs {
        let Some(mailbox) = job.mailbox() else {
            job.answer();
            continue;
        };
        match by_thread.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &mailbox)) {
            Some((_, answers)) => answers.push(job),
            None => by_thread.push((mailbox, vec![job])),
        }
    }
    for (mailbox, answers) in by_thread {
        mailbox.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(answers);
        mailbox.came.notify_one();
    }
}
