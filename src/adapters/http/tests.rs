use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;
use crate::domain::model::RepoId;
use crate::domain::secret::Secret;

struct At(i64);

impl Clock for At {
    fn now(&self) -> UnixTime {
        UnixTime(self.0)
    }
}

#[derive(Default)]
struct Book(RefCell<BTreeMap<String, RateLimit>>);

impl RateLimitStore for Book {
    fn limit(&self, server: &str) -> PortResult<Option<RateLimit>> {
        Ok(self.0.borrow().get(server).cloned())
    }
    fn put_limit(&self, server: &str, limit: Option<&RateLimit>) -> PortResult<()> {
        match limit {
            Some(limit) => drop(self.0.borrow_mut().insert(server.to_owned(), limit.clone())),
            None => drop(self.0.borrow_mut().remove(server)),
        }
        Ok(())
    }
    fn repo_identity(&self, _: &RepoId) -> PortResult<Option<String>> {
        Ok(None)
    }
    fn put_repo_identity(&self, _: &RepoId, _: &str) -> PortResult<()> {
        Ok(())
    }
}

/// A server that gives these answers, one a connection, and what it was asked.
fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut asked = vec![];
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            asked.push(head);
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    (url, thread)
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

fn client(base: &str, writes: bool) -> Client {
    let http = Rc::new(Http::new(Rc::new(At(1000)), Rc::new(Book::default()), writes, 600, |_| {}));
    let token = Token::new(Secret::new("hunter2"), "Bearer");
    let server = Server {
        name: "hub".to_owned(),
        base: base.to_owned(),
        secret: "forge.hub.token".to_owned(),
        headers: vec![("x-version", "1".to_owned())],
        authorization: Rc::new(move || Ok(Some(token.clone()))),
        write_gap: Duration::from_secs(1),
    };
    Client::new(http, server)
}

fn kind(error: &PortError) -> &'static str {
    match error {
        PortError::Later { after: Some(_), .. } => "limited",
        PortError::Later { after: None, .. } => "later",
        PortError::Refused { .. } => "refused",
        PortError::Credentials { .. } => "credentials",
        PortError::Gone { .. } => "gone",
        PortError::Broken { .. } => "broken",
    }
}

#[test]
fn each_status_means_one_thing() {
    for (status, headers, body, wanted) in [
        ("301 Moved", "Location: http://127.0.0.1:1/x\r\n", "", "gone"),
        ("400 Bad", "", "", "refused"),
        ("401 No", "", r#"{"message":"Bad credentials"}"#, "credentials"),
        ("403 No", "", r#"{"message":"Resource not accessible"}"#, "refused"),
        ("403 No", "", r#"{"message":"You have exceeded a secondary rate limit"}"#, "limited"),
        ("403 No", "Retry-After: 5\r\n", "", "limited"),
        ("403 No", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 2000\r\n", "", "limited"),
        ("404 No", "", "", "gone"),
        ("408 Slow", "", "", "later"),
        ("409 Twice", "", "", "refused"),
        ("410 Gone", "", "", "gone"),
        ("422 Odd", "", r#"{"message":"Validation Failed","errors":[{"code":"already_exists"}]}"#, "refused"),
        ("429 Slow", "", "", "limited"),
        ("500 Oh", "", "<html><h1>Oh</h1></html>", "later"),
        ("502 Oh", "", "", "later"),
        (
            "200 OK",
            "",
            r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#,
            "limited",
        ),
        ("200 OK", "", "<html>maintenance</html>", "broken"),
        ("200 OK", "", r#"{"cut"#, "broken"),
    ] {
        // What is not there is asked for twice.
        let times = if status.starts_with("404") { 2 } else { 1 };
        let (url, thread) = server(vec![reply(status, headers, body); times]);
        let error = client(&url, true)
            .get("reading it", "/x")
            .and_then(|a| a.json::<Value>("reading it"))
            .unwrap_err();
        assert_eq!(kind(&error), wanted, "{status} {headers} {body}: {error}");
        assert!(error.to_string().starts_with("reading it: hub"), "{error}");
        thread.join().unwrap();
    }
}

#[test]
fn one_answer_that_it_is_not_there_is_not_believed() {
    let (url, thread) = server(vec![reply("404 No", "", ""), reply("200 OK", "", "[]")]);
    assert!(client(&url, true).get("reading it", "/x").is_ok());
    thread.join().unwrap();
}

#[test]
fn an_error_is_told_without_the_token_and_without_markup() {
    let body =
        "{\"message\":\"no \\u001b[31mhunter2\\nallowed\",\"errors\":[{\"code\":\"missing\"},\"odd\"]}";
    let (url, thread) = server(vec![reply("422 Odd", "", body), reply("500 Oh", "", "<b>Oh</b> <i>no</i>")]);
    let client = client(&url, true);
    let error = client.get("reading it", "/x").unwrap_err().to_string();
    assert_eq!(error, "reading it: hub answered 422: no [31m(hidden) allowed; missing; odd.");
    let error = client.get("reading it", "/x").unwrap_err().to_string();
    assert_eq!(error, "reading it: hub answered 500: Oh no. It is tried again by the next tick.");
    let asked = thread.join().unwrap();
    assert!(asked[0].contains("authorization: Bearer hunter2"), "{asked:?}");
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    let (url, thread) = server(vec!["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1".to_owned()]);
    let error = client(&url, true).get("reading it", "/x").unwrap_err();
    assert_eq!(kind(&error), "later", "{error}");
    thread.join().unwrap();
}

#[test]
fn pages_are_followed_on_this_server_only() {
    for elsewhere in ["http://127.0.0.1:1/x", "https://evil.invalid/x", "/x", "file:///etc/passwd"] {
        let link = format!("Link: <{elsewhere}>; rel=\"next\", <x>; rel=\"last\"\r\n");
        let (url, thread) = server(vec![reply("200 OK", &link, "[1]")]);
        let error = client(&url, true).pages("reading it", "/x").unwrap_err();
        assert!(error.to_string().contains("is not followed"), "{error}");
        thread.join().unwrap();
    }
}

/// A short page is no end, and neither is a count that is of the page only, where the list is known for that.
#[test]
fn counted_pages_end_by_their_count_and_others_when_empty() {
    let page = |total: &str, body: &str| reply("200 OK", total, body);
    let total = "X-Total-Count: 3\r\n";
    let (url, thread) = server(vec![page(total, "[1]"), page(total, "[2,3]")]);
    assert_eq!(client(&url, true).pages_counted("reading it", "/x", 50).unwrap().len(), 3);
    assert!(thread.join().unwrap()[1].contains("GET /x?limit=50&page=2 "));
    for end in ["[]", "null"] {
        let (url, thread) = server(vec![page("", "[1]"), page("", "[2]"), page("", end)]);
        assert_eq!(client(&url, true).pages_counted("reading it", "/x?a=b", 50).unwrap().len(), 2);
        assert!(thread.join().unwrap()[2].contains("GET /x?a=b&limit=50&page=3 "));
        let own = "X-Total-Count: 1\r\n";
        let (url, thread) = server(vec![page(own, "[1]"), page(own, "[2]"), page("", end)]);
        assert_eq!(client(&url, true).pages_until_empty("reading it", "/x", 50).unwrap().len(), 2);
        thread.join().unwrap();
    }
}

/// A list that is to be whole has as many entries as the most that was told, each of them once.
#[test]
fn a_whole_list_is_not_shorter_than_its_count() {
    let page = |count: &str, ids: &[u8]| {
        let entries: Vec<String> = ids.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
        reply("200 OK", "", &format!("{{\"total_count\":{count},\"l\":[{}]}}", entries.join(",")))
    };
    for (pages, good) in [
        (vec![page("3", &[1, 2]), page("3", &[3])], true),
        (vec![page("null", &[1, 2]), page("null", &[])], true),
        (vec![page("0", &[])], true),
        (vec![page("3", &[1, 2]), page("3", &[])], false),
        // One moved to the next page, and one to a page that was read.
        (vec![page("3", &[1, 2]), page("4", &[2, 3]), page("4", &[])], false),
        (vec![page("3", &[1, 2]), page("2", &[])], false),
        (vec![page("\"many\"", &[1]), page("\"many\"", &[])], false),
        (vec![page("-1", &[1]), page("-1", &[])], false),
    ] {
        let (url, thread) = server(pages.clone());
        let all = client(&url, true).whole_counted("reading it", "/x", "l", 50);
        assert_eq!(all.is_ok(), good, "{all:?} of {pages:?}");
        thread.join().unwrap();
    }
    for (body, good) in [(page("2", &[1, 2]), true), (page("3", &[1, 2]), false), (page("2", &[1, 1]), false)]
    {
        let (url, thread) = server(vec![body.clone()]);
        let all = client(&url, true).whole_of("reading it", "/x", "l");
        assert_eq!(all.is_ok(), good, "{all:?} of {body}");
        thread.join().unwrap();
    }
}

#[test]
fn a_limit_holds_for_all_and_doubles() {
    let (url, thread) =
        server(vec![reply("429 Slow", "", ""), reply("429 Slow", "", ""), reply("200 OK", "", "[]")]);
    let client = client(&url, true);
    client.get("reading it", "/x").unwrap_err();
    assert_eq!(client.http.book().limit("hub").unwrap().unwrap().until, UnixTime(1060));
    let error = client.get("reading it", "/x").unwrap_err();
    assert!(error.to_string().contains("asked to be left alone"), "{error}");
    let over = RateLimit { until: UnixTime(1000), why: String::new(), times: 1 };
    client.http.book().put_limit("hub", Some(&over)).unwrap();
    client.get("reading it", "/x").unwrap_err();
    assert_eq!(client.http.book().limit("hub").unwrap().unwrap().until, UnixTime(1120));
    let over = RateLimit { until: UnixTime(1000), why: String::new(), times: 2 };
    client.http.book().put_limit("hub", Some(&over)).unwrap();
    client.get("reading it", "/x").unwrap();
    assert_eq!(client.http.book().limit("hub").unwrap(), None);
    thread.join().unwrap();
}

#[test]
fn a_dry_run_sends_no_write() {
    let client = client("http://127.0.0.1:1", false);
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let error = client.write("writing it", method, "/x", None).unwrap_err();
        assert_eq!(error.to_string(), "a dry run writes nothing");
    }
}

#[test]
fn a_write_is_believed_only_with_json_or_nothing() {
    let (url, thread) = server(vec![
        reply("200 OK", "", "<html>maintenance</html>"),
        reply("204 No Content", "", ""),
        reply("201 Created", "", "{}"),
    ]);
    let client = client(&url, true);
    let error = client.write("writing it", Method::Post, "/x", Some(&Value::Null)).unwrap_err();
    assert_eq!(kind(&error), "broken", "{error}");
    client.write("writing it", Method::Delete, "/x", None).unwrap();
    client.write("writing it", Method::Post, "/x", None).unwrap();
    thread.join().unwrap();
}

#[test]
fn a_name_in_a_path_stays_one_part() {
    for (text, wanted) in
        [("a b", "a%20b"), ("a/../b", "a%2F..%2Fb"), ("..", "%2E%2E"), ("ü?#", "%C3%BC%3F%23")]
    {
        assert_eq!(encoded(text), wanted);
    }
}

#[test]
fn plain_http_is_for_this_machine() {
    for (address, wanted) in [
        ("http://127.0.0.1:3000/x", true),
        ("http://localhost", true),
        ("http://[::1]:80/", true),
        ("http://127.0.0.1.evil.invalid/", false),
        ("http://10.0.0.1/", false),
        ("https://127.0.0.1/", false),
        ("not an address", false),
    ] {
        assert_eq!(is_loopback(address), wanted, "{address}");
    }
}
