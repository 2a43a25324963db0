//! Compressed answers, as a browser unpacks them.

use std::io::Read as _;

use crate::support::Blog;

#[test]
fn an_answer_goes_out_in_the_best_coding_that_the_browser_knows() {
    let blog = Blog::deployed();
    blog.admin.ssh(&["http:set", "blog", "--compression", "on"]).ok();
    let http = blog.http();
    // Its answer is the target itself.
    let target = format!("/target?{}", "words and numbers 0123456789 ".repeat(200).replace(' ', "+"));
    let ask = |accepted: &str| {
        let fields = [("Accept-Encoding", accepted), ("Connection", "close")];
        let mut connection = http.connect().expect("a connection");
        let answer = connection.send("GET", &http.host("blog"), &target, &fields, b"").expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    };
    for (accepted, coding) in [
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.5, br", "br"),
    ] {
        let answer = ask(accepted);
        assert_eq!(answer.header("content-encoding"), Some(coding), "{accepted}: {:?}", answer.headers);
        assert!(
            answer.header("vary").is_some_and(|value| value.to_ascii_lowercase().contains("accept-encoding"))
        );
        assert!(answer.body.len() < target.len() / 4, "{accepted}: {} bytes", answer.body.len());
        let (mut packed, mut text) = (answer.body.as_slice(), String::new());
        match coding {
            "br" => brotli::Decompressor::new(&mut packed, 4096).read_to_string(&mut text),
            _ => zstd::stream::read::Decoder::new(&mut packed)
                .and_then(|mut packed| packed.read_to_string(&mut text)),
        }
        .expect("a whole body of that coding");
        assert_eq!(text, target, "{accepted}");
    }
    let plain = ask("identity");
    assert_eq!((plain.header("content-encoding"), plain.text()), (None, target.clone()));
    blog.server.assert_clean();
}
