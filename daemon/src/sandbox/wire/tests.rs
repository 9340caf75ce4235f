use super::{Access, Grant, Protection, Report, Request, body_length};
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
        workspace: "/w".into(),
        cwd: "/w/a b".into(),
        argv: vec!["echo".into(), "".into(), OsString::from_vec(vec![0xff, b'\n', b'"'])],
        env: vec![("PATH".into(), "/bin".into())],
        grants: vec![
            Grant { path: "/usr".into(), access: Access::Execute },
            Grant { path: "/w".into(), access: Access::WriteExecute },
        ],
        private: vec!["/home/u".into()],
        protected: vec![(".git".into(), Protection::Pinned), (".git/hooks".into(), Protection::Frozen)],
    }
}

#[test]
fn a_request_of_any_bytes_arrives_and_a_cut_one_does_not() {
    check(&request());
    check(&Request { argv: vec![], env: vec![], grants: vec![], private: vec![], protected: vec![], ..request() });
}

#[test]
fn reports_arrive() {
    let refused = Report::Refused { step: "user namespace".into(), errno: 1, detail: "not permitted".into() };
    for report in [Report::Exited(37), Report::Signalled(9), refused] {
        assert_eq!(Report::decode(&report.encode()[4..]), Ok(report));
    }
}

#[test]
fn an_announced_length_beyond_the_limit_is_refused_before_anything_is_read() {
    assert!(body_length(u32::MAX.to_le_bytes()).is_err());
    let mut body = request().encode().split_off(4);
    body[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Request::decode(&body).is_err());
}
