use super::*;
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Every name is the one server of the test.
struct Loopback(u16);

impl Resolve for Loopback {
    fn resolve(&self, _: Host) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.0));
        async move { Ok(vec![address]) }.boxed()
    }
}

/// Allows `granted` and notes every question.
fn ask(asked: &Arc<Mutex<Vec<String>>>, granted: &'static str) -> Ask {
    let asked = asked.clone();
    Arc::new(move |host| {
        asked.lock().unwrap().push(host.to_string());
        let answer = if host.to_string() == granted { Ok(()) } else { Err("the person said no".to_owned()) };
        async move { answer }.boxed()
    })
}

/// Says the first line of what it reads, and then everything it reads.
async fn server() -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let said = String::from_utf8_lossy(&head[..read]).into_owned();
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}", said.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, tasks)
}

/// What a client gets for `request`, and what was asked on the way.
async fn exchange(granted: &'static str, request: &str, then: &str) -> (String, Vec<String>) {
    let (port, _server) = server().await;
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::default();
    let mut tasks = JoinSet::new();
    let (ask, names) = (ask(&asked, granted), Arc::new(Loopback(port)));
    tasks.spawn(async move { drop(serve(listener, ask, names).await) });
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = client.read(&mut answer).await.unwrap();
    answer.truncate(read);
    client.write_all(then.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    client.read_to_end(&mut answer).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    (String::from_utf8_lossy(&answer).into_owned(), asked)
}

#[tokio::test]
async fn a_granted_host_is_reached_through_a_tunnel() {
    let (answer, asked) = exchange("example.org", "CONNECT Example.ORG.:443 HTTP/1.1\r\n\r\n", "hello").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert_eq!(asked, ["example.org"]);
}

#[tokio::test]
async fn a_plain_request_is_sent_on_to_the_host_that_was_asked_for() {
    let request = "GET http://example.org/a?b HTTP/1.1\r\nHost: other.org\r\nProxy-Authorization: x\r\n\r\n";
    let (answer, asked) = exchange("example.org", request, "").await;
    assert!(answer.contains("GET /a?b HTTP/1.1\r\nhost: example.org\r\n"), "{answer}");
    assert!(!answer.to_lowercase().contains("proxy-authorization"), "{answer}");
    assert_eq!(asked, ["example.org"]);
}

#[tokio::test]
async fn no_is_a_403_with_the_reason() {
    for request in
        ["CONNECT evil.org:443 HTTP/1.1\r\n\r\n", "GET http://evil.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n"]
    {
        let (answer, asked) = exchange("example.org", request, "").await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(answer.contains("evil.org cannot be reached from the sandbox: the person said no"), "{answer}");
        assert_eq!(asked, ["evil.org"]);
    }
}

#[tokio::test]
async fn another_port_is_another_question() {
    let (answer, asked) = exchange("example.org", "CONNECT example.org:22 HTTP/1.1\r\n\r\n", "").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(asked, ["example.org:22"]);
}

#[tokio::test]
async fn what_names_no_host_is_no_question() {
    for request in ["GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "GET https://example.org/ HTTP/1.1\r\n\r\n"] {
        let (answer, asked) = exchange("example.org", request, "").await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert_eq!(asked, Vec::<String>::new());
    }
}

#[tokio::test]
async fn names_of_this_machine_are_not_public() {
    for name in ["localhost", "127.0.0.1", "[::1]"] {
        let host = Host { name: name.to_owned(), port: 443 };
        let error = PublicNames.resolve(host).await.unwrap_err().to_string();
        assert_eq!(error, format!("{name} is an address of this machine or its own network"));
    }
}
