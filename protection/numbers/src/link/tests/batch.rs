//! Files: every way in which one can be wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mimamori_atena_simulator::{Kind, Mode};
use sha2::{Digest as _, Sha256};

use super::super::{ActKind, LinkState, calls, differences};
use super::{Post, person};

impl Post {
    fn inbox(&self) -> PathBuf {
        self.office.dir.path().join("exchange/in")
    }

    /// Codes of the interface log for one kind of file, oldest first.
    async fn codes(&self, what: &str) -> Vec<String> {
        let mut lines = calls(&self.office.db, None, 1_000).await.unwrap();
        lines.reverse();
        lines
            .into_iter()
            .filter(|l| l.what == what)
            .map(|l| l.code)
            .collect()
    }

    async fn link(&self, n: u8) {
        let (reference, address, number) = person(n);
        self.office
            .act(reference, &address, ActKind::Link, Some(&number))
            .await;
    }

    async fn state(&self, n: u8) -> LinkState {
        self.office.state(person(n).0).await
    }

    fn refused(&self) -> usize {
        std::fs::read_dir(self.inbox().join("refused"))
            .unwrap()
            .count()
            / 2
    }
}

fn put(folder: &Path, name: &str, body: &str, count: usize) {
    let path = folder.join(name);
    std::fs::write(path.with_extension("csv"), body).unwrap();
    let end = format!(
        "件数,SHA-256,要求番号\r\n{count},{},1\r\n",
        hex::encode(Sha256::digest(body))
    );
    std::fs::write(path.with_extension("end"), end).unwrap();
}

#[tokio::test]
async fn acts_go_by_file_in_order_and_answers_are_read_once() {
    let mut post = Post::new().await;
    post.link(0).await;
    let (reference, address, _) = person(0);
    let (_, _, other) = person(1);
    post.office
        .act(reference, &address, ActKind::Correct, Some(&other))
        .await;
    post.office.connector.pass().await.unwrap();
    let file = post
        .office
        .dir
        .path()
        .join("exchange/out/request-00000001.csv");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap().lines().count(),
        2,
        "the correction waits for the link"
    );
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(post.state(0).await, LinkState::Waiting);
    for _ in 0..3 {
        post.round().await;
    }
    assert_eq!(post.state(0).await, LinkState::Linked);
    let kinds: Vec<Kind> = post.world.applied().iter().map(|a| a.kind).collect();
    assert_eq!(kinds, [Kind::Link, Kind::Correct]);
    assert_eq!(post.world.linked()[0].individual_number, other);
    assert_eq!(
        std::fs::read_dir(post.inbox()).unwrap().count(),
        1,
        "only the folder of refused files is left"
    );
    assert_eq!(post.codes("file-answer").await, ["ok", "ok"]);
    assert_eq!(post.codes("file-out").await, ["ok", "ok"]);
}

#[tokio::test]
async fn answers_out_of_order_wait_for_their_turn_and_repeated_ones_have_no_effect() {
    let mut post = Post::new().await;
    post.world.set_mode(Mode::OutOfOrder);
    post.link(0).await;
    post.office.connector.pass().await.unwrap();
    post.folder.step(&post.world).unwrap();
    post.link(1).await;
    post.office.connector.pass().await.unwrap();
    post.folder.step(&post.world).unwrap();
    post.office.connector.pass().await.unwrap();
    assert_eq!(
        (post.state(0).await, post.state(1).await),
        (LinkState::Waiting, LinkState::Waiting)
    );
    post.office.connector.pass().await.unwrap();
    assert_eq!(
        post.codes("file-answer").await,
        ["out-of-order"],
        "said once"
    );
    post.folder.step(&post.world).unwrap();
    post.office.connector.pass().await.unwrap();
    assert_eq!(
        (post.state(0).await, post.state(1).await),
        (LinkState::Linked, LinkState::Linked)
    );

    post.world.set_mode(Mode::Duplicate);
    post.link(2).await;
    post.round().await;
    post.folder.step(&post.world).unwrap();
    post.office.connector.pass().await.unwrap();
    assert_eq!(post.state(2).await, LinkState::Linked);
    assert_eq!(
        post.codes("file-answer").await,
        ["out-of-order", "ok", "ok", "ok", "repeated"]
    );
    assert_eq!(post.world.applied().len(), 3);
    // Under a number that was read, but with other words: never the same file.
    put(
        &post.inbox(),
        "answer-00000003",
        "行番号,処理番号,宛名番号,団体内統合宛名番号,結果,理由\r\n",
        0,
    );
    post.office.connector.pass().await.unwrap();
    assert_eq!(post.refused(), 1);
}

#[tokio::test]
async fn a_truncated_file_is_refused_whole_and_the_right_one_is_taken_afterwards() {
    let mut post = Post::new().await;
    post.world.set_mode(Mode::Errors);
    post.link(0).await;
    post.round().await;
    assert_eq!(post.state(0).await, LinkState::Waiting);
    assert_eq!(
        (post.codes("file-answer").await, post.refused()),
        (vec!["digest".to_owned()], 1)
    );
    post.world.set_mode(Mode::Normal);
    post.round().await;
    assert_eq!(post.state(0).await, LinkState::Linked);
    assert_eq!(post.world.applied().len(), 1);
}

#[tokio::test]
async fn a_file_with_any_fault_is_refused_and_no_row_of_it_counts() {
    let post = Post::new().await;
    post.link(0).await;
    post.office.connector.pass().await.unwrap();
    let (_, address, _) = person(0);
    let row = post
        .office
        .db
        .fetch("SELECT key FROM numbers_outbox", vec![])
        .await
        .unwrap();
    let key = row[0].text(0).unwrap().to_owned();
    let head = "行番号,処理番号,宛名番号,団体内統合宛名番号,結果,理由\r\n";
    let good = format!("1,{key},{address},900000000000001,0,\r\n");
    let unknown = format!("2,{},{address},900000000000001,0,\r\n", "0".repeat(32));
    for (body, count, code) in [
        (format!("{head}{good}"), 2, "count"),
        (format!("{head}{good}{unknown}"), 2, "unknown-act"),
        (format!("x{head}{good}"), 1, "header"),
        (
            format!("{head}{}", good.replacen('1', "2", 1)),
            1,
            "line-number",
        ),
        (format!("{head}{}", good.replace(",0,", ",5,")), 1, "shape"),
        (
            format!("{head}{}", good.replace("900000000000001", "9")),
            1,
            "shape",
        ),
        (format!("{head}{},x", good.trim_end()), 1, "shape"),
        (format!("{head}\u{fffd}{good}"), 1, "line-number"),
    ] {
        put(&post.inbox(), "answer-00000001", &body, count);
        post.office.connector.pass().await.unwrap();
        assert_eq!(
            post.codes("file-answer").await.last().map(String::as_str),
            Some(code),
            "{body}"
        );
        assert_eq!(post.state(0).await, LinkState::Waiting, "{code}");
        post.office.clock.pass(Duration::from_secs(1));
    }
    // A file without a trailer is not there yet; one with a broken trailer is refused.
    std::fs::write(
        post.inbox().join("answer-00000001.csv"),
        format!("{head}{good}"),
    )
    .unwrap();
    post.office.connector.pass().await.unwrap();
    assert_eq!(post.codes("file-answer").await.len(), 8);
    std::fs::write(post.inbox().join("answer-00000001.end"), "件数\r\n1\r\n").unwrap();
    post.office.connector.pass().await.unwrap();
    assert_eq!(
        post.codes("file-answer").await.last().map(String::as_str),
        Some("trailer")
    );
    put(
        &post.inbox(),
        "answer-00000001",
        &format!("{head}{good}"),
        1,
    );
    let request = post
        .office
        .dir
        .path()
        .join("exchange/out/request-00000001.csv");
    assert!(request.exists(), "nobody has answered it");
    post.office.connector.pass().await.unwrap();
    assert_eq!(
        (post.state(0).await, post.refused()),
        (LinkState::Linked, 9)
    );
    assert!(!request.exists(), "it held a number, and is answered");
}

#[tokio::test]
async fn an_answer_about_another_person_is_a_difference_by_file_too() {
    let mut post = Post::new().await;
    post.world.set_mode(Mode::WrongPerson);
    post.link(0).await;
    post.round().await;
    assert_eq!(post.state(0).await, LinkState::Differs);
    assert_eq!(
        differences(&post.office.db, false, 0).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_stop_between_numbering_and_writing_a_file_leaves_no_gap_and_no_second_effect() {
    let mut post = Post::new().await;
    post.link(0).await;
    let sql = "UPDATE numbers_outbox SET sequence = 1; INSERT INTO numbers_file_out (sequence, made) VALUES (1, 0)";
    let mut writer = post.office.db.writer().await.unwrap();
    writer.run(sql).await.unwrap();
    post.office.restart();
    post.round().await;
    assert_eq!(post.state(0).await, LinkState::Linked);
    // Written, taken by the other end, and stopped before that was noted.
    writer
        .run("UPDATE numbers_file_out SET written = NULL")
        .await
        .unwrap();
    post.office.restart();
    post.link(1).await;
    post.round().await;
    post.round().await;
    assert_eq!(post.state(1).await, LinkState::Linked);
    assert_eq!(post.world.applied().len(), 2);
}

#[tokio::test]
async fn a_file_whose_answer_never_came_is_sent_again_under_the_same_keys() {
    let mut post = Post::new().await;
    post.link(0).await;
    post.office.connector.pass().await.unwrap();
    post.folder.step(&post.world).unwrap();
    for name in ["answer-00000001.csv", "answer-00000001.end"] {
        std::fs::remove_file(post.inbox().join(name)).unwrap();
    }
    assert_eq!(post.office.connector.send_file_again(1).await.unwrap(), 1);
    post.office.connector.pass().await.unwrap();
    post.folder.step(&post.world).unwrap();
    // The answer bears number 2; the lost number 1 has to come, or the other end lays the answer down as 1.
    for end in ["csv", "end"] {
        let from = post.inbox().join(format!("answer-00000002.{end}"));
        std::fs::rename(from, post.inbox().join(format!("answer-00000001.{end}"))).unwrap();
    }
    post.office.connector.pass().await.unwrap();
    assert_eq!(post.state(0).await, LinkState::Linked);
    assert_eq!(post.world.applied().len(), 1);
}

#[tokio::test]
async fn lists_come_by_file_and_are_compared_once() {
    use mimamori_kernel::clock::Clock as _;
    let mut post = Post::new().await;
    post.link(0).await;
    post.link(1).await;
    post.round().await;
    assert!(
        post.office.connector.reconcile().await.unwrap().is_none(),
        "no list yet"
    );
    post.office.clock.pass(Duration::from_secs(3_600));
    post.world.remove(&person(1).1);
    post.folder
        .lay_list(&post.world, post.office.clock.now())
        .unwrap();
    let done = post.office.connector.reconcile().await.unwrap().unwrap();
    assert_eq!((done.total, done.found), (1, 1));
    assert!(post.office.connector.reconcile().await.unwrap().is_none());
    assert_eq!(post.state(1).await, LinkState::Differs);
    assert_eq!(post.codes("file-list").await, ["ok"]);
    // A list with one person twice is refused whole.
    let (_, address, number) = person(0);
    let row = format!("{address},900000000000001,{number}\r\n");
    let body = format!("行番号,宛名番号,団体内統合宛名番号,個人番号\r\n1,{row}2,{row}");
    put(&post.inbox(), "list-00000002", &body, 2);
    let end = format!(
        "件数,SHA-256,基準日時\r\n2,{},2026-11-21 12:00:00\r\n",
        hex::encode(Sha256::digest(&body))
    );
    std::fs::write(post.inbox().join("list-00000002.end"), end).unwrap();
    assert!(post.office.connector.reconcile().await.unwrap().is_none());
    assert_eq!(post.codes("file-list").await, ["ok", "shape"]);
}

#[tokio::test]
async fn an_act_that_was_left_out_of_a_file_is_told_by_another() {
    let mut post = Post::new().await;
    post.link(0).await;
    post.link(1).await;
    // The number cannot be opened while the file is made: it is gone, and comes back.
    let gone = post
        .office
        .numbers
        .lock()
        .unwrap()
        .remove(&person(0).0)
        .unwrap();
    let (reference, address, _) = person(0);
    post.office
        .act(reference, &address, ActKind::Delete, None)
        .await;
    post.office.connector.pass().await.unwrap();
    // Stopped before it was noted that the file is written; the other end has it already.
    let mut writer = post.office.db.writer().await.unwrap();
    writer
        .run("UPDATE numbers_file_out SET written = NULL")
        .await
        .unwrap();
    post.folder.step(&post.world).unwrap();
    post.office
        .act(reference, &address, ActKind::Link, Some(&gone))
        .await;
    post.office.restart();
    for _ in 0..4 {
        post.round().await;
    }
    assert_eq!(
        (post.state(0).await, post.state(1).await),
        (LinkState::Linked, LinkState::Linked)
    );
    let kinds: Vec<Kind> = post.world.applied().iter().map(|a| a.kind).collect();
    assert_eq!(
        kinds,
        [Kind::Link, Kind::Delete, Kind::Link],
        "the first link was overtaken"
    );
}
