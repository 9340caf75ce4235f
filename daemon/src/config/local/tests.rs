use super::*;
use std::net::TcpListener;

fn check(answer: &'static str, expected: &[&str]) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        stream.write_all(answer.as_bytes()).expect("written");
    });
    let found: Vec<String> = find(&[("test", port)]).into_iter().flat_map(|server| server.models).collect();
    server.join().expect("served");
    assert_eq!(found, expected);
}

#[test]
fn names_the_models_of_a_server() {
    check(
        "HTTP/1.0 200 OK\r\n\r\n{\"object\":\"list\",\"data\":[{\"id\":\"qwen3\"},{\"id\":\"gpt-oss\"}]}",
        &["qwen3", "gpt-oss"],
    );
}

#[test]
fn passes_over_what_is_no_model_server() {
    check("HTTP/1.0 404 Not Found\r\n\r\nno", &[]);
    check("HTTP/1.0 200 OK\r\n\r\n{\"data\":[]}", &[]);
    check("SSH-2.0-OpenSSH\r\n", &[]);
}
