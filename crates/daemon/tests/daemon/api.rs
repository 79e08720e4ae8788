//! The local API: whoever has no token learns and does nothing; whoever talks nonsense does no harm.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::*;

fn door(room: &Place) -> (SocketAddr, String) {
    let text = std::fs::read_to_string(room.config.data.join("api")).unwrap();
    let (addr, token) = text.trim_end().split_once('\n').unwrap();
    (addr.parse().unwrap(), token.to_owned())
}

/// Says these lines and gives back the lines that come, until the other side closes or `lines` have come.
fn say(addr: SocketAddr, text: &str, lines: usize) -> Vec<Value> {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let read = BufReader::new(stream).lines().take(lines);
    read.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

#[test]
fn without_the_token_nothing_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = alone(dir.path());
    room.start();
    let (addr, token) = door(&room);
    assert_eq!(token.len(), 64);
    for wrong in ["", "0000", &token[1..], &format!("{token}0")] {
        let said = say(addr, &format!("{wrong}\n{{\"command\":\"status\"}}\n"), 2);
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0]["error"]["code"], "token");
    }
    room.stop();
    assert!(
        !room.config.data.join("api").exists(),
        "a daemon that is gone is not to be found"
    );
}

#[test]
fn nonsense_is_refused_line_by_line_and_the_daemon_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut room = alone(dir.path());
    room.start();
    let (addr, token) = door(&room);
    let nonsense = [
        "x",
        "[]",
        "{}",
        "{\"command\":\"sing\"}",
        "{\"command\":\"case_new\",\"colour\":1}",
        "\u{1}",
    ];
    let request = format!("{token}\n{}\n{{\"command\":\"status\"}}\n", nonsense.join("\n"));
    let said = say(addr, &request, 8);
    assert_eq!(said[0]["ready"], true);
    for (answer, line) in said.iter().skip(1).zip(nonsense) {
        assert_eq!(answer["error"]["exit"], 2, "{line}");
    }
    assert_eq!(said[7]["ok"]["unit"], "511603102201");

    // A first line without end is cut off long before it fills anything.
    let mut stream = TcpStream::connect(addr).unwrap();
    let flood = vec![b'a'; 1024 * 1024];
    let sent = stream.write_all(&flood).and_then(|()| stream.read(&mut [0; 16]));
    assert!(matches!(sent, Ok(0) | Err(_)), "{sent:?}");
    room.command(Command::Status);
    room.stop();
}

#[test]
fn a_stale_api_file_keeps_nobody_from_working() {
    let dir = tempfile::tempdir().unwrap();
    let room = alone(dir.path());
    // As a daemon leaves it that was killed; nobody listens there any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    std::fs::write(room.config.data.join("api"), format!("{gone}\n{}\n", "0".repeat(64))).unwrap();
    room.command(case("张三"));
    // Nor does a stranger that happens to listen there now.
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = stranger.local_addr().unwrap();
    std::fs::write(room.config.data.join("api"), format!("{addr}\n{}\n", "0".repeat(64))).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = stranger.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    room.command(case("李四"));
    assert_eq!(room.command(list()).as_array().unwrap().len(), 2);
}
