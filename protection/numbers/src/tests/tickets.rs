//! When a ticket is worth nothing any more, and what is told of it.

use axum::extract::ConnectInfo;

use super::*;

#[tokio::test]
async fn a_ticket_ends_with_its_session_and_with_its_user() {
    let place = Place::new(Limits::default()).await;
    let reference = NumberRef::random(&SystemRandom);
    place.registered(reference, &number(5)).await;
    let reveal = || order(Kind::Reveal, Some(reference));
    let gone = async |ticket: TicketId| {
        let (status, body) = place.get(&format!("/reveal/{ticket}")).await;
        assert_eq!(status, StatusCode::GONE, "{body}");
    };
    let (own, other) = (
        place.ticket(reveal()).await,
        Order {
            user: user(2),
            ..reveal()
        },
    );
    let other = place.ticket(other).await;
    place.call(Call::ForgetUser(user(1).to_string())).await;
    gone(own).await;
    assert_eq!(
        place.get(&format!("/reveal/{other}")).await.0,
        StatusCode::OK
    );
    // A form that is filled in already.
    let open = place.ticket(order(Kind::Correct, Some(reference))).await;
    place.get(&format!("/entry/{open}")).await;
    let waiting = place.ticket(reveal()).await;
    place.call(Call::ForgetSession(session())).await;
    gone(waiting).await;
    assert_eq!(place.typed(&open, &number(6)).await.0, StatusCode::GONE);
    let late = place.room.call(Call::Ticket(reveal())).await;
    assert!(late.is_err(), "the session asks too late");
    let held = place
        .room
        .0
        .vault
        .reveal(&reference)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(held.digits(), number(5).as_bytes());
}

#[tokio::test]
async fn a_reference_that_ended_takes_no_number_from_a_form_that_is_still_open() {
    let place = Place::new(Limits::default()).await;
    let all = people(2, 1);
    place.registered(all[0].0, &all[0].1).await;
    let correct = place.ticket(order(Kind::Correct, Some(all[0].0))).await;
    let register = place.ticket(order(Kind::Register, Some(all[1].0))).await;
    let reveal = place.ticket(order(Kind::Reveal, Some(all[0].0))).await;
    for ticket in [&correct, &register] {
        assert_eq!(
            place.get(&format!("/entry/{ticket}")).await.0,
            StatusCode::OK
        );
    }
    for (reference, _) in &all {
        place.call(Call::Delete(reference.to_string(), 9)).await;
    }
    for ticket in [&correct, &register] {
        let (status, body) = place.typed(ticket, &number(50)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        assert_eq!(place.outcome(ticket).await.outcome, "missing");
    }
    let (_, body) = place.get(&format!("/reveal/{reveal}")).await;
    assert!(body.contains("登録がありません"), "{body}");
    assert_eq!(place.outcome(&reveal).await.outcome, "none");
    assert_eq!(place.room.0.vault.whole().await.unwrap().count, 0);
}

#[tokio::test]
async fn a_room_that_is_started_again_knows_the_hour_and_tells_what_came_of_each_ticket() {
    let limits = Limits {
        reveals: 3,
        registers: 2,
        loads: 1,
        ..Limits::default()
    };
    let mut place = Place::new(limits).await;
    let reference = NumberRef::random(&SystemRandom);
    place.registered(reference, &number(5)).await;
    place.shown(reference).await;
    let never = place.ticket(order(Kind::Reveal, Some(reference))).await;
    let open = place.ticket(order(Kind::Correct, Some(reference))).await;
    place.get(&format!("/entry/{open}")).await;
    let load = place.ticket(order(Kind::Load, None)).await;
    let told = place.outcomes().await.len();
    assert_eq!(told, 2, "what was done was told");
    place.restart().await;
    for ticket in [&never, &open, &load] {
        let outcome = place.outcome(ticket).await;
        assert_eq!((outcome.outcome.as_str(), outcome.line), ("void", 7));
    }
    assert_eq!(place.outcomes().await.len(), told + 3);
    assert_eq!(place.typed(&open, &number(6)).await.0, StatusCode::GONE);
    let limited = async |kind| {
        let reply = place.call(Call::Ticket(order(kind, Some(reference)))).await;
        matches!(reply, Reply::Limited(1..=3600))
    };
    assert!(limited(Kind::Register).await && limited(Kind::Correct).await);
    assert!(limited(Kind::Load).await);
    assert!(!limited(Kind::Reveal).await, "the third one");
    assert!(limited(Kind::Reveal).await, "no restart makes room");
    place.restart().await;
    assert_eq!(place.outcomes().await.len(), told + 4, "each is told once");
}

#[tokio::test]
async fn only_the_proxy_that_ends_tls_reaches_the_rooms_pages() {
    let mut place = Place::new(Limits::default()).await;
    place.room.close().await;
    let window = Window {
        proxies: vec!["192.0.2.7".parse().unwrap()],
        tls: true,
        ..window()
    };
    let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
    place.room = Room::open(&place.file, &place.kek, window, place.limits, clock, random)
        .await
        .unwrap();
    let from = async |peer: &str| {
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        let request = with_cookie("GET", "/cleared")
            .header("x-forwarded-for", "192.0.2.7")
            .extension(ConnectInfo(peer));
        place.ask(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(from("192.0.2.7:5").await.0, StatusCode::OK);
    assert_eq!(from("[::ffff:192.0.2.7]:5").await.0, StatusCode::OK);
    for stranger in ["192.0.2.8:5", "127.0.0.1:5"] {
        let (status, body) = from(stranger).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(body.contains("中継サーバー"), "{body}");
    }
}
