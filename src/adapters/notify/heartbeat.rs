//! A URL that is pinged when a tick starts, ends or fails. Whoever watches it notices what cannot notice itself: a
//! schedule that does not fire.

use std::time::Duration;

use super::Ask;
use crate::adapters::http;
use crate::boundary;
use crate::domain::escape::sanitize;
use crate::ports::{PortError, PortResult};

/// A ping is worth no more time than this.
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER: u64 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    Start,
    End,
    Fail,
}

pub struct HeartBeat {
    pub url: Ask,
    /// Tells the start and the end of one tick from those of another.
    pub id: String,
}

impl HeartBeat {
    /// Pings, and reads the answer: a service may answer 200 and mean that it knows no such check.
    pub fn ping(&self, beat: Beat) -> PortResult<()> {
        let url = (self.url)()?;
        let target = address(url.reveal(), beat, &self.id);
        let agent = http::agent(TIMEOUT);
        boundary::pass("heartbeat");
        let answer = agent.get(&target).call();
        boundary::pass("heartbeat");
        // The URL is a secret: no error names it.
        let mut response = match answer {
            Ok(response) => response,
            Err(ureq::Error::BadUri(_)) => return Err(PortError::refused("the heartbeat's URL is not one")),
            Err(ureq::Error::Timeout(_)) => {
                return Err(PortError::later("the heartbeat was not answered in time"));
            }
            Err(_) => return Err(PortError::later("the heartbeat's server could not be reached")),
        };
        let status = response.status();
        let said = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string().unwrap_or_default();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(PortError::later(format!("the heartbeat was answered with {status}")));
        }
        if !status.is_success() {
            return Err(PortError::refused(format!(
                "the heartbeat was answered with {status}; check its URL"
            )));
        }
        if said.to_ascii_lowercase().contains("not found") {
            return Err(PortError::refused(format!(
                "the heartbeat was answered with 200, and the answer says `{}`: no such check is known there; check its URL",
                sanitize(said.trim(), 60)
            )));
        }
        Ok(())
    }
}

/// The URL with what happened at the end of its path, and the tick's id.
fn address(url: &str, beat: Beat, id: &str) -> String {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let word = match beat {
        Beat::Start => "/start",
        Beat::End => "",
        Beat::Fail => "/fail",
    };
    let before = query.map_or(String::new(), |q| format!("{q}&"));
    format!("{}{word}?{before}rid={id}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_stands_in_the_path_and_the_id_in_the_query() {
        for (url, beat, expected) in [
            ("https://hc/uuid", Beat::Start, "https://hc/uuid/start?rid=7"),
            ("https://hc/uuid/", Beat::End, "https://hc/uuid?rid=7"),
            ("https://hc/uuid?create=1", Beat::Fail, "https://hc/uuid/fail?create=1&rid=7"),
        ] {
            assert_eq!(address(url, beat, "7"), expected);
        }
    }
}
