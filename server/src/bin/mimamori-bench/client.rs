//! A small HTTP/1.1 client with a kept connection, for this bench alone.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a form of text fields is sent as.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// One connection with a session.
pub struct Client {
    port: u16,
    cookie: String,
    stream: Option<TcpStream>,
}

pub fn between<'a>(text: &'a str, from: &str, until: &str) -> Option<&'a str> {
    text.split_once(from)
        .and_then(|(_, rest)| rest.split_once(until))
        .map(|(found, _)| found)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// Links to records on a list.
pub fn links(html: &str) -> Vec<String> {
    html.split("href=\"/residents/")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(path, _)| path)
        .filter(|path| path.contains("?from="))
        .map(|path| format!("/residents/{path}"))
        .collect()
}

/// Whether anybody gives the sign-in page.
pub async fn answers(port: u16) -> bool {
    let mut client = Client {
        port,
        cookie: String::new(),
        stream: None,
    };
    let page = client.send("GET", "/sign-in", "").await;
    page.is_ok_and(|(head, _)| head.starts_with("HTTP/1.1 200"))
}

impl Client {
    /// Signs in through the demo's role chooser; none while the program does not answer.
    pub async fn enter(port: u16, login: &str) -> Option<Self> {
        let mut client = Self {
            port,
            cookie: String::new(),
            stream: None,
        };
        let (_, page) = client.send("GET", "/demo", "").await.ok()?;
        let token = between(&page, "name=\"csrf\" value=\"", "\"")?.to_owned();
        let (head, _) = client
            .send("POST", "/demo/role", &format!("csrf={token}&login={login}"))
            .await
            .ok()?;
        client.cookie = between(&head, "set-cookie: ", ";")?.to_owned();
        Some(client)
    }

    /// The same session on another connection.
    pub fn sibling(&self) -> Self {
        Self {
            port: self.port,
            cookie: self.cookie.clone(),
            stream: None,
        }
    }

    /// The same session at another port of the host.
    pub fn at(&self, port: u16) -> Self {
        Self {
            port,
            cookie: self.cookie.clone(),
            stream: None,
        }
    }

    /// The token that this session's forms carry.
    pub async fn token(&mut self) -> String {
        let page = self.get("/password").await;
        between(&page, "name=\"csrf\" value=\"", "\"")
            .unwrap_or_default()
            .to_owned()
    }

    /// Sends a form of the given kind; status and body. A new cookie is kept.
    pub async fn post(&mut self, path: &str, kind: &str, body: &str) -> (u16, String) {
        match self.sent("POST", path, kind, body).await {
            Ok((head, body)) => {
                if let Some(cookie) = between(&head, "set-cookie: ", ";") {
                    self.cookie = cookie.to_owned();
                }
                let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
                (status.unwrap_or(0), body)
            }
            Err(error) => (0, error.to_string()),
        }
    }

    /// The body of a page.
    pub async fn get(&mut self, path: &str) -> String {
        match self.send("GET", path, "").await {
            Ok((_, body)) => body,
            Err(error) => error.to_string(),
        }
    }

    /// Searches by kana; the address of the result.
    pub async fn search(&mut self, kana: &str) -> String {
        let page = self.get("/residents/search").await;
        let token = between(&page, "name=\"csrf\" value=\"", "\"")
            .unwrap_or_default()
            .to_owned();
        let form = format!("csrf={token}&channel=counter&kana={}", encoded(kana));
        let (head, _) = self
            .send("POST", "/residents/search", &form)
            .await
            .unwrap_or_default();
        between(&head, "location: ", "\r\n")
            .unwrap_or("/")
            .to_owned()
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
    ) -> std::io::Result<(String, String)> {
        self.sent(method, path, FORM, body).await
    }

    async fn sent(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: &str,
    ) -> std::io::Result<(String, String)> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(("127.0.0.1", self.port)).await?,
        };
        stream.set_nodelay(true)?;
        let (port, cookie) = (self.port, &self.cookie);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost:{port}\r\norigin: http://localhost:{port}\r\ncookie: {cookie}\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let (mut bytes, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
                let length = between(&head, "content-length: ", "\r\n")
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(0usize);
                while bytes.len() < end + 4 + length {
                    match stream.read(&mut chunk).await? {
                        0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                        n => bytes.extend_from_slice(&chunk[..n]),
                    }
                }
                let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
                self.stream = Some(stream);
                return Ok((head, body));
            }
            match stream.read(&mut chunk).await? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                n => bytes.extend_from_slice(&chunk[..n]),
            }
        }
    }
}
