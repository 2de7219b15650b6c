//! The peers: one look-up and one durable insert a request, commits grouped as ours are, and nothing else; the same
//! engine and file system, or a PostgreSQL server.

use std::path::Path;
use std::time::{Duration, Instant};

use mimamori_storage::{Db, Location, Synchronous, Value};
use tokio::sync::{mpsc, oneshot};

/// A new database file in `root`.
pub fn file(root: &Path) -> Location {
    Location::File {
        path: root.join("bare.db"),
        synchronous: Synchronous::Full,
    }
}

/// Requests a second with `clients` tasks.
pub async fn look_and_insert(place: Location, clients: usize, seconds: u64) -> f64 {
    let db = Db::open(place, 8).await.unwrap();
    let mut writer = db.writer().await.unwrap();
    let tables = "DROP TABLE IF EXISTS bench_person; DROP TABLE IF EXISTS bench_line;
        CREATE TABLE bench_person (id BIGINT PRIMARY KEY, name TEXT, birth TEXT, address TEXT);
        CREATE TABLE bench_line (person BIGINT, time BIGINT, text TEXT)";
    writer.run(tables).await.unwrap();
    writer.begin().await.unwrap();
    for n in 0..10_000i64 {
        let args = vec![
            n.into(),
            "山田 太郎".into(),
            "1940-03-12".into(),
            "見守市一丁目1番1号".into(),
        ];
        writer
            .execute("INSERT INTO bench_person VALUES (?, ?, ?, ?)", args)
            .await
            .unwrap();
    }
    writer.commit().await.unwrap();
    let (jobs, mut queue) = mpsc::channel::<(i64, oneshot::Sender<()>)>(4096);
    let committer = tokio::spawn(async move {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, 512).await > 0 {
            writer.begin().await.unwrap();
            for (person, _) in &batch {
                let args = vec![Value::Int(*person), Value::Int(1), "person.open".into()];
                writer
                    .execute(
                        "INSERT INTO bench_line (person, time, text) VALUES (?, ?, ?)",
                        args,
                    )
                    .await
                    .unwrap();
            }
            writer.commit().await.unwrap();
            for (_, reply) in batch.drain(..) {
                let _ = reply.send(());
            }
        }
    });
    let until = Instant::now() + Duration::from_secs(seconds.min(10));
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|c| {
            let (db, jobs) = (db.clone(), jobs.clone());
            tokio::spawn(async move {
                let mut done = 0u64;
                let mut n = i64::try_from(c).unwrap() * 131;
                while Instant::now() < until {
                    n = (n * 7919 + 17) % 10_000;
                    db.fetch(
                        "SELECT name, birth, address FROM bench_person WHERE id = ?",
                        vec![n.into()],
                    )
                    .await
                    .unwrap();
                    let (reply, answer) = oneshot::channel();
                    jobs.send((n, reply)).await.unwrap();
                    answer.await.unwrap();
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    drop(jobs);
    committer.await.unwrap();
    db.close().await;
    done as f64 / started.elapsed().as_secs_f64()
}
