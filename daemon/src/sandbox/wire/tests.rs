use super::{Access, Grant, Layer, Report, Request, Strength, body_length};
use expect_test::expect;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

fn check(request: &Request) {
    let message = request.encode();
    let (header, body) = message.split_first_chunk::<4>().expect("a header");
    assert_eq!(body_length(*header), Ok(body.len()));
    assert_eq!(Request::decode(body).as_ref(), Ok(request));
    for cut in 0..body.len() {
        assert!(Request::decode(&body[..cut]).is_err(), "cut at {cut}");
    }
    assert!(Request::decode(&[body, b"x"].concat()).is_err(), "a byte too many");
}

fn request() -> Request {
    Request {
        strength: Strength::Weak,
        workspace: "/w".into(),
        cwd: "/w/a b".into(),
        argv: vec!["echo".into(), "".into(), OsString::from_vec(vec![0xff, b'\n', b'"'])],
        env: vec![("PATH".into(), "/bin".into())],
        grants: vec![
            Grant { path: "/usr".into(), access: Access::Execute },
            Grant { path: "/w".into(), access: Access::WriteExecute },
            Grant { path: "/s".into(), access: Access::ThrowAway },
        ],
        private: vec!["/home/u".into()],
        layers: vec![Layer {
            lower: "/w:,x".into(),
            upper: "/u".into(),
            work: "/k".into(),
            writable: vec!["sub".into(), ".git".into()],
            through: vec!["sub/target".into()],
        }],
        listen: 61_128,
    }
}

#[test]
fn a_request_of_any_bytes_arrives_and_a_cut_one_does_not() {
    check(&request());
    check(&Request { argv: vec![], env: vec![], grants: vec![], private: vec![], layers: vec![], ..request() });
}

#[test]
fn reports_arrive() {
    let refused =
        Report::Refused { by_machine: true, step: "user namespace".into(), errno: 1, detail: "not permitted".into() };
    for report in [Report::Exited(37), Report::Signalled(9), Report::Listening, refused] {
        assert_eq!(Report::decode(&report.encode()[4..]), Ok(report));
    }
}

#[test]
fn an_announced_length_beyond_the_limit_is_refused_before_anything_is_read() {
    assert!(body_length(u32::MAX.to_le_bytes()).is_err());
    let mut body = request().encode().split_off(4);
    body[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Request::decode(&body).is_err());
}

#[test]
fn a_layer_knows_what_can_be_written_through_it() {
    let layer = request().layers.remove(0);
    let all = Layer { writable: vec![], ..layer.clone() };
    expect!["/w:,x/sub /w:,x/.git /w:,x/sub/target"].assert_eq(&shown(&layer));
    expect!["/w:,x /w:,x/sub/target"].assert_eq(&shown(&all));
}

fn shown(layer: &Layer) -> String {
    layer.writable_paths().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
}
