//! What things cost where nothing of ours is done: a bare process that answers, a program that does nothing.

use crate::daemon::{Daemon, failed, milliseconds};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// The argument that makes this program a bare server.
pub const BARE_SERVER: &str = "--bare-server";

/// A server that knows one answer, with the runtime that ours has.
pub fn serve_bare() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let task = tokio::spawn(async {
            let (mut input, mut output) = (std::io::stdin(), std::io::stdout());
            let mut chunk = [0; 16 << 10];
            let mut id = 0;
            // A request comes in one write here; what is no request is not answered.
            loop {
                let length = input.read(&mut chunk)?;
                let text = String::from_utf8_lossy(chunk.get(..length).unwrap_or_default());
                if length == 0 || text.contains("\"exit\"") {
                    return Ok(());
                }
                if text.contains("\"id\"") {
                    id += 1;
                    let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{}}}}");
                    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
                    output.flush()?;
                }
            }
        });
        task.await?
    })
}

/// To a bare process and back, in milliseconds: two switches of processes, as any way through a daemon has. Each after a `pause`.
pub async fn there_and_back(pause: Duration, runs: usize) -> anyhow::Result<Vec<f64>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(BARE_SERVER);
    let mut bare = Daemon::of(command)?;
    bare.client.initialize().await;
    let mut samples = Vec::new();
    for _ in 0..runs {
        tokio::time::sleep(pause).await;
        let sent = Instant::now();
        bare.client.request::<Value>("ping", json!({})).await.map_err(failed)?;
        samples.push(milliseconds(sent.elapsed()));
    }
    bare.shut_down().await?;
    Ok(samples)
}

/// A program that does nothing, from its start to its end, in milliseconds. The words are the program and its arguments;
/// none when it cannot be run.
pub async fn program(words: &[&str], runs: usize) -> anyhow::Result<Vec<f64>> {
    let [program, arguments @ ..] = words else { return Ok(Vec::new()) };
    let mut samples = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        let Ok(mut child) = Command::new(program).args(arguments).spawn() else { return Ok(Vec::new()) };
        if !child.wait().await?.success() {
            return Ok(Vec::new());
        }
        samples.push(milliseconds(started.elapsed()));
    }
    Ok(samples)
}

/// Asks a scripted model and throws its answer away; how long that takes, in milliseconds.
pub async fn read_answer(base_url: &str) -> anyhow::Result<f64> {
    let address = base_url.trim_start_matches("http://").trim_end_matches("/v1");
    let mut stream = TcpStream::connect(address).await?;
    let body = r#"{"model":"fake","input":[],"prompt_cache_key":"floor"}"#;
    let request = format!("POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let asked = Instant::now();
    stream.write_all(request.as_bytes()).await?;
    let mut chunk = vec![0; 64 << 10];
    let mut tail = Vec::new();
    while !tail.ends_with(b"\r\n0\r\n\r\n") {
        let length = stream.read(&mut chunk).await?;
        anyhow::ensure!(length > 0, "the model hung up");
        tail.extend_from_slice(chunk.get(length.saturating_sub(16)..length).unwrap_or_default());
        tail.drain(..tail.len().saturating_sub(16));
    }
    Ok(milliseconds(asked.elapsed()))
}
