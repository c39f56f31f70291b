//! Which writes travel together, and that each is answered.

use futures_util::future::join_all;

use super::*;
use crate::store::cause::ServerPart;
use kernel::spelled::Spelled;

type Jobs = Vec<Box<dyn WriteJob>>;

fn job() -> Box<dyn WriteJob> {
    Write::queued(|_: &mut Conn| Ok::<(), StoreError>(()), false).0
}

fn count(group: Option<Jobs>) -> Option<usize> {
    group.map(|group| group.len())
}

#[test]
fn patient_writes_travel_together_and_with_the_first_impatient_one() {
    let (senders, queues) = write_queues(1_000);
    for _ in 0..3 {
        senders.send_patiently(job()).expect("room");
    }
    assert_eq!(count(queues.next_group(false)), Some(3));
    senders.send_patiently(job()).expect("room");
    senders.send_now(job()).expect("room");
    assert_eq!(count(queues.next_group(false)), Some(2));
}

#[test]
fn a_group_that_is_full_leaves_none_behind() {
    let (senders, queues) = write_queues(1_000);
    for _ in 0..LARGEST_GROUP + 1 {
        senders.send_patiently(job()).expect("room");
    }
    assert_eq!(count(queues.next_group(false)), Some(LARGEST_GROUP));
    drop(senders);
    assert_eq!(count(queues.next_group(true)), Some(1));
    assert_eq!(count(queues.next_group(false)), None);
}

#[test]
fn of_a_burst_of_the_api_a_group_takes_a_share() {
    let (senders, queues) = write_queues(1_000);
    for _ in 0..API_SHARE * 2 {
        senders.send_for_api(job()).expect("room");
    }
    senders.send_now(job()).expect("room");
    assert_eq!(count(queues.next_group(false)), Some(1 + API_SHARE));
    assert!(queues.leaves_some(1 + API_SHARE));
    assert_eq!(count(queues.next_group(true)), Some(API_SHARE));
    assert!(!queues.leaves_some(API_SHARE));
}

#[tokio::test]
async fn every_write_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = StoreUrl::Sqlite(folder.path().join("pool.db").display().to_string());
    let db = Db::open(StoreSettings::new(url)).expect("opens");
    let patient = (0..1_000).map(|number| {
        db.write_with_others(move |_| match number % 10 {
            0 => Err(StoreError::NotFound),
            _ => Ok(number),
        })
    });
    let answers = join_all(patient).await;
    for (number, answer) in answers.into_iter().enumerate() {
        match number % 10 {
            0 => assert!(matches!(answer, Err(StoreError::NotFound))),
            _ => assert_eq!(answer.ok(), Some(number)),
        }
    }
}

#[tokio::test]
async fn works_that_share_a_commit_have_their_own_causes() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = StoreUrl::Sqlite(folder.path().join("pool.db").display().to_string());
    let db = Db::open(StoreSettings::new(url)).expect("opens");
    let writes = (0..1_000_usize).map(|number| {
        let part = ServerPart::ALL.get(number % ServerPart::ALL.len()).copied().expect("a part");
        let seen = move || matches!(cause::here(), Some(Cause::Server(here)) if here == part);
        // One that is refused has the others of its group run again.
        let write =
            db.write_with_others(move |_| if number % 97 == 0 { Err(StoreError::NotFound) } else { Ok(seen()) });
        cause::with(Cause::Server(part), write)
    });
    let answers = join_all(writes).await;
    let stored: Vec<bool> = answers.into_iter().filter_map(Result::ok).collect();
    assert_eq!((stored.len(), stored.contains(&false)), (989, false));
    let balancing = db.in_lane(Lane::Balancing).write(|_| Ok::<_, StoreError>(cause::here())).await;
    assert!(matches!(balancing, Ok(Some(Cause::Balancing))));
    assert!(matches!(db.write(|_| Ok::<_, StoreError>(cause::here())).await, Ok(None)));
}

/// Sends one write after the other, each when the one before was answered; the first that was not answered in time.
fn first_unanswered(senders: &WriteSenders) -> Option<u32> {
    (0..20_000).find(|_| {
        let (job, mut answer) = Write::queued(|_: &mut Conn| Ok::<(), StoreError>(()), false);
        senders.send_for_api(job).expect("room");
        let sent = Instant::now();
        while matches!(answer.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
            if sent.elapsed() > Duration::from_secs(20) {
                return true;
            }
            std::thread::yield_now();
        }
        false
    })
}

#[test]
fn no_write_waits_until_another_one_wakes_its_writer() {
    for writers in [1, 2] {
        let (senders, queues) = write_queues(1_000);
        let (senders, queues) = (Arc::new(senders), Arc::new(queues));
        for _ in 0..writers {
            let queues = Arc::clone(&queues);
            std::thread::spawn(move || {
                let mut some_are_left = false;
                while let Some(group) = queues.next_group(some_are_left) {
                    some_are_left = queues.leaves_some(group.len());
                    group.into_iter().for_each(|job| job.fail(StoreError::NotFound));
                }
            });
        }
        let clients = (0..3).map(|_| {
            let senders = Arc::clone(&senders);
            std::thread::spawn(move || first_unanswered(&senders))
        });
        let clients: Vec<_> = clients.collect();
        for client in clients {
            assert_eq!(client.join().expect("no panic"), None, "{writers} writers");
        }
    }
}
