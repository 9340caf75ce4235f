//! Model servers on this machine, found by asking the ports they usually listen on. Loopback only.

use serde::Deserialize;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// The usual servers and their ports, as their documentation names them.
pub const PORTS: &[(&str, u16)] = &[("ollama", 11434), ("lmstudio", 1234), ("llamacpp", 8080), ("vllm", 8000)];

/// A port that is closed says so at once; one that is open gets this long for its list.
const PATIENCE: Duration = Duration::from_millis(300);

/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 1 << 20;

/// A server that answered with models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The name of the kind of server that usually has the port.
    pub name: &'static str,
    /// Where its OpenAI-compatible interface begins.
    pub base_url: String,
    /// What it serves; never empty.
    pub models: Vec<String>,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
}

/// Asks each port. Blocks for as long as one is open and silent.
#[must_use]
pub fn find(ports: &[(&'static str, u16)]) -> Vec<Server> {
    let mut servers = Vec::new();
    for &(name, port) in ports {
        let models = models(port).unwrap_or_default();
        if !models.is_empty() {
            servers.push(Server { name, base_url: format!("http://127.0.0.1:{port}/v1"), models });
        }
    }
    servers
}

fn models(port: u16) -> std::io::Result<Vec<String>> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // HTTP/1.0, so that the answer is not chunked and ends with the connection.
    stream.write_all(
        format!("GET /v1/models HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n\r\n").as_bytes(),
    )?;
    let mut answer = Vec::new();
    let _ = stream.take(MAX_ANSWER).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let list: List = serde_json::from_str(body.trim())?;
    Ok(list.data.into_iter().map(|entry| entry.id).collect())
}

#[cfg(test)]
mod tests;
