//! GitHub Apps, as far as they are used: signatures are really checked, tokens end, and rights are those of an installation.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use super::github::moment;
use super::{Model, Reply, shape};

/// An RSA key that was made for these tests and is good for nothing else: PKCS#1 in base64.
pub const KEY: &str = "MIIEowIBAAKCAQEA05WEnAxh5tGVj4iDoZZn5GwooaVU0syoQtu5hJ6COqBS6AUPtQytfjBZJ9CfXT4IeVJlntHSQ5j3IKpldyg7\
    FL3wY2spucF1xCkCQ7IxdNKdsQ8upLtV/664yKaQm5s1Q4e0+Gz/oDiCxfb9I+CmJ49EtCeIuoLdKvq6hrFIvjp8d1QXXFboG9ti\
    4pyqOyU1pVB5/dlLiDPc9q4LYcOelYgi1iRWKra5s3v+P97Qc59/OrxssigC1Uk9xuPn8JLGjHtqCjnYLwj4iRQX+Bng+QnsT9oN\
    IHzRZFNxg5/VHbyQxVmo4c20QmDT4Ti1T4NGSp8qR/FWlLq9XNNNSv9jAQIDAQABAoIBAArvn5nuuGk1JD812cLieqZ3ci6vtFeM\
    cTZ6c6dvh3DnDD32lAIiQH3lGxiYG4KW5Bp8OCkqNG1exMg1EndDFrGq4xfKaE7T+WWtDnNIDK8ae0DVdW5ZifeEFQQ2+sK2Nh2y\
    UBfmj1xdS2IW0uz1rbTd/nm20OX+AVc5PCad13IQjPxs1mgG5GNXVwVC3PDxCxn6JkhpGXVuj3gfG2HBEoHb3i2RYN4YGTkyJ5nK\
    mL2suhiFe03pTzAGUPRt7nH0HWqBr7+R+NkH2dFY+2PPendXV/6RSp7APlqCPQo3SGzmQ+XESotG1kH6nFob/lXAIxGubWW5EqeF\
    TBt6pXFgAqECgYEA88sKkQxSRvvJj/FzfyR6iBCGkVS/h9CX05oekDySYkkIvqW55zuKm2V8hD/RSCDPTDYXN015KEokb1FzFpvF\
    kIzVAoa2c+2L8tEMigFHYgvqDyPizm3Tq61LIKKSi3q+m9+HGHjek9QXiyumhvtdY8LShZoZGs8oEspXTEVooZECgYEA3i2eTc1n\
    AXv9M9l8gxAXxsFn9CmKFBauXIlmHPFBze/CCTr2r6DZ41CzE5AOGM1I2lJlfksQZPFgkZo+p63rKGem6gMMQRXDR9AYp37p+ohv\
    fCP2LDUMApT9Eg013FBAaV/5jlrUWgrIfTUnIjChRjfEGO4V37vKJbqMVYNF8nECgYAkEYYer5P8rIPFqBNOXDdEqi0+kytDDLlp\
    tQOQk2WU5PlGO36ll0mKdBlX95ke8ru4qsgEhpHGRDHfxk0gqysvl6ZsGUIlJJ/v7L3OLSJCf0DBvK1xnQ4T+C+FRIgp2p8YsJls\
    JXXIqThSfsLEdav7dndvDL1qGfvzy7verOYuAQKBgETRxJM86IchLND+sP634WWDSvvqUgbe76tiM+sLH+L2PRg212qXXGZ4/L82\
    g+dSzxoxI5b3EWDzE4KGUJoH2Stuz9j0kLsoTpDT+I8JVNhxonbFfN88nze9hpYs2V4gzZLWU6qwn840QN3ntPN2NL5XT7qZJNVk\
    ib0eB5IFU4lBAoGBAPAsQgEVUrvdcnU1IbMB5CiCWCVEyXZQ4TL32qSyak3WaSqB6c63Cz3O88AHU/3HoIxdCl6+j9LEuyxF/y2X\
    uK4m1vK8+55IyjH4h8jU16MKzoCAxIFYCnVD/FzA3wz7FQNhd7STv/kVgL/qDYYlwrVGzHXoseizGVc3Le3LGxp7";

/// The same in PKCS#8.
pub const KEY_PKCS8: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDTlYScDGHm0ZWPiIOhlmfkbCihpVTSzKhC27mEnoI6oFLoBQ+1\
    DK1+MFkn0J9dPgh5UmWe0dJDmPcgqmV3KDsUvfBjaym5wXXEKQJDsjF00p2xDy6ku1X/rrjIppCbmzVDh7T4bP+gOILF9v0j4KYn\
    j0S0J4i6gt0q+rqGsUi+Onx3VBdcVugb22LinKo7JTWlUHn92UuIM9z2rgthw56ViCLWJFYqtrmze/4/3tBzn386vGyyKALVST3G\
    4+fwksaMe2oKOdgvCPiJFBf4GeD5CexP2g0gfNFkU3GDn9UdvJDFWajhzbRCYNPhOLVPg0ZKnypH8VaUur1c001K/2MBAgMBAAEC\
    ggEACu+fme64aTUkPzXZwuJ6pndyLq+0V4xxNnpzp2+HcOcMPfaUAiJAfeUbGJgbgpbkGnw4KSo0bV7EyDUSd0MWsarjF8poTtP5\
    Za0Oc0gMrxp7QNV1blmJ94QVBDb6wrY2HbJQF+aPXF1LYhbS7PWttN3+ebbQ5f4BVzk8Jp3XchCM/GzWaAbkY1dXBULc8PELGfom\
    SGkZdW6PeB8bYcESgdveLZFg3hgZOTInmcqYvay6GIV7TelPMAZQ9G3ucfQdaoGvv5H42QfZ0Vj7Y896d1dX/pFKnsA+WoI9CjdI\
    bOZD5cRKi0bWQfqcWhv+VcAjEa5tZbkSp4VMG3qlcWACoQKBgQDzywqRDFJG+8mP8XN/JHqIEIaRVL+H0JfTmh6QPJJiSQi+pbnn\
    O4qbZXyEP9FIIM9MNhc3TXkoSiRvUXMWm8WQjNUChrZz7Yvy0QyKAUdiC+oPI+LObdOrrUsgopKLer6b34cYeN6T1BeLK6aG+11j\
    wtKFmhkazygSyldMRWihkQKBgQDeLZ5NzWcBe/0z2XyDEBfGwWf0KYoUFq5ciWYc8UHN78IJOvavoNnjULMTkA4YzUjaUmV+SxBk\
    8WCRmj6nresoZ6bqAwxBFcNH0Binfun6iG98I/YsNQwClP0SDTXcUEBpX/mOWtRaCsh9NSciMKFGN8QY7hXfu8oluoxVg0XycQKB\
    gCQRhh6vk/ysg8WoE05cN0SqLT6TK0MMuWm1A5CTZZTk+UY7fqWXSYp0GVf3mR7yu7iqyASGkcZEMd/GTSCrKy+XpmwZQiUkn+/s\
    vc4tIkJ/QMG8rXGdDhP4L4VEiCnanxiwmWwldcipOFJ+wsR1q/t2d28MvWoZ+/PLu96s5i4BAoGARNHEkzzohyEs0P6w/rfhZYNK\
    ++pSBt7vq2Iz6wsf4vY9GDbXapdcZnj8vzaD51LPGjEjlvcRYPMTgoZQmgfZK27P2PSQuyhOkNP4jwlU2HGidsV83zyfN72GlizZ\
    XiDNktZTqrCfzjRA3ee083Y0vldPupkk1WSJvR4HkgVTiUECgYEA8CxCARVSu91ydTUhswHkKIJYJUTJdlDhMvfapLJqTdZpKoHp\
    zrcLPc7zwAdT/cegjF0KXr6P0sS7LEX/LZe4ribW8rz7nkjKMfiHyNTXowrOgIDEgVgKdUP8XMDfDPsVA2F3tJO/+RWAv+oNhiXC\
    tUbMdeix6LMZVzct7csbGns=";

/// Of nobody.
pub const OTHER_KEY: &str = "MIIEpQIBAAKCAQEAoMs8DqbevnhfHMWirqUsnR5SSgqVXQ9LqCU5S1EccdXLsKR7aNBayze3rdoOgab+bObOMW+BLU29ceU3ugeK\
    HiIBkpw4tYBAE22+eFfezzQpNvPrfWJUMBgCEESK1NrLCPjBMVZnubtmPdZsoYKobjkagZwng0NDWfC1cgG7Or7be/ybVa/4ubQC\
    VuLVbXqtsQCTI/l5pL4RjAN8lM5MMzbquR7gm1JlPyKGQDUqzm8LIi1+aUJzFtEqNxk5hC2LCQ/QLX/3cIu9Fz1SekznbFa3p1MG\
    Qwu0L2i/qlEK0gOgut5XZnamBVFmyQ4EpbLusiF1iTsRacA3tiVPE1ciVwIDAQABAoIBACd0Bp3vuurQXUIRikvA8pPwuy84rpKB\
    bMZqr8a3tbuGwm5qxW8f5I9FchfBz9pnL7ln3oMJwY/sqcW3APfv3qdrH6iqFU4PlGlP/bLImL6NpWk663a9+Ds+wM7eCpSUxMnE\
    Q58H/PZ5MWqN4OS2Sv6Um1jfCGDwUafRZKv/GcIda+vWyy9pY7eaPpYIDi+BclGPcqvlKZCV0wjA7s2nKWuj/Szauxyryxj+NXrs\
    vmTJRSoM8e4Kursecmxvnc2GNc5jqqiCsSB2MiInlaUEla9fSXkNO0xjYYXu51ElAEXOcFtas40IWLVnCOzfbyF//1CNbd93v3bB\
    GsUJw1NnqrkCgYEAyyruRAUOq2Hv73AthiLnB7VBLWvIUa6hJ0jczhOesHpAT5IxLbaqA1vFyhyc6mUJDm2DcBr0B2IIqZh7Z+bH\
    zHYi/AmgFzAKkgfE2hKAu6Gr6AYIGI6A1t8pm4k7XjnF4LnL7zVOVaPdksT9Pkeixj4yqB//gN5zvjpvrH3gBMkCgYEAyptwN1xG\
    OOjme1DBpOpg7iwNZrN5cvK5SVOnERpqZDBnYKw8PXxHyLnk28UPDH8WLnNHjUJlTR5WWRu25ZWIZZSAadL+7vu/09Jd1OHub3fF\
    0lbIxxsEGJH/PBJu7ChwuRMJXbJz3bKbtdVNlLTTFZIxUyv2h3AbP/RTfbXvHh8CgYEArZ45UQ1VVOXzyZT+gkNvVOnzEeKqpArs\
    koq0jrK7iKpgLN+MgTk5HnedlbNP8Qp4a8jwaqvN4EVJi8zPoKHaGgLWsLV1Bnu6fMKA2a64Lh/hrP0CjCGzPmwkvVLP1hze2cVM\
    3lWaZJsNLXCDzWYgVvMuDPiTOshe9rAvYKOM/ekCgYEAv2D+KbzmtAEDHT6V+8JM1w0Th4xGTxcJgEMdT2GFV6gFLmLi8C1B3VAC\
    5rkIUwSEnlHUJ5GtAKCEbd1o8QpDcbhJaCyfFH0GoP5YFatoPzCC0wGY28IgJ1lZH5RF5Jr6h0d9FF1pZuO8g5C9nJcFwJ18LBUd\
    5Kc3hjyy1M8S1H8CgYEAk0cpHoSX8F1UzmodFEDlx0HFb62UFD5mbObUEV3hJ+qZ23bVpB3E5sUqTgB6CtIEzbirhQXpynWS1iXt\
    a6Daau10tUH/8Qp4Ib1PImHCTkcOk2jOxJR/vlZSLPveKC0TPOq83ni7Jhn5/P+6kFsvrcsDywVUV2ETZi0WvEY0aSs=";

/// A key as a file.
pub fn pem(kind: &str, body: &str) -> String {
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|c| std::str::from_utf8(c).unwrap()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

#[derive(Clone, Debug)]
pub struct Installation {
    pub id: u64,
    pub owner: String,
    pub suspended: bool,
    pub rights: BTreeMap<&'static str, &'static str>,
}

#[derive(Clone, Debug)]
pub struct App {
    pub id: u64,
    pub client_id: String,
    pub slug: String,
    /// Of its public key.
    key: Vec<u8>,
    pub installations: Vec<Installation>,
    /// Token, installation, end.
    pub tokens: Vec<(String, u64, i64)>,
}

impl App {
    /// Installed for `me` with all that offhours needs.
    pub fn new() -> Self {
        let key = RsaKeyPair::from_der(&BASE64_STANDARD.decode(KEY).unwrap()).unwrap();
        let rights = [
            ("contents", "write"),
            ("issues", "write"),
            ("pull_requests", "write"),
            ("checks", "read"),
            ("statuses", "read"),
            ("actions", "write"),
            ("metadata", "read"),
        ];
        let installation =
            Installation { id: 77, owner: "me".into(), suspended: false, rights: BTreeMap::from(rights) };
        Self {
            id: 4321,
            client_id: "Iv23liSimulated".into(),
            slug: "night-shift".into(),
            key: key.public_key().as_ref().to_vec(),
            installations: vec![installation],
            tokens: vec![],
        }
    }

    pub fn login(&self) -> String {
        format!("{}[bot]", self.slug)
    }

    /// Why a proof is not believed.
    fn refuses(&self, proof: &str, now: i64) -> Option<Reply> {
        let undecodable = || Some(Reply::error(401, "A JSON web token could not be decoded"));
        let Some((text, signature)) = proof.rsplit_once('.') else { return undecodable() };
        let part = |n: usize| -> Option<Value> {
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text.split('.').nth(n)?).ok()?).ok()
        };
        let (Some(head), Some(claims)) = (part(0), part(1)) else { return undecodable() };
        let iss = &claims["iss"];
        if *iss != json!(self.id) && *iss != json!(self.client_id) {
            return Some(Reply::error(404, "Integration not found"));
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.key);
        if head["alg"] != "RS256" || key.verify(text.as_bytes(), &signature).is_err() {
            return undecodable();
        }
        let when = |claim: &str| claims[claim].as_i64();
        if when("iat").is_none_or(|at| at > now) {
            let flaw = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
            return Some(Reply::error(401, flaw));
        }
        match when("exp") {
            Some(at) if at > now + 600 => {
                Some(Reply::error(401, "'Expiration time' claim ('exp') is too far in the future"))
            }
            Some(at) if at > now => None,
            Some(_) | None => {
                let flaw = "'Expiration time' claim ('exp') must be a numeric value representing the future time at \
                            which the assertion expires";
                Some(Reply::error(401, flaw))
            }
        }
    }

    pub fn installation_of(&self, token: &str, now: i64) -> Option<&Installation> {
        let (_, id, _) = self.tokens.iter().find(|(known, _, ends)| known == token && *ends > now)?;
        self.installations.iter().find(|one| one.id == *id && !one.suspended)
    }
}

fn shown(one: &Installation) -> Value {
    let account = shape::user(json!({ "login": one.owner, "id": 1, "type": "User" }));
    shape::installation(json!({ "id": one.id, "account": account, "permissions": one.rights,
        "suspended_at": one.suspended.then_some("2026-01-01T00:00:00Z") }))
}

/// What the app asks as itself. `None`: that is nothing for it.
pub fn answer(model: &mut Model, proof: Option<&str>, method: &str, path: &[&str]) -> Option<Reply> {
    let asks_as_itself = matches!(path, ["app", ..] | ["repos", _, _, "installation"]);
    let now = model.now() - model.slow_clock;
    let number = model.app.as_ref().filter(|_| asks_as_itself)?.tokens.len();
    let app = model.app.as_mut()?;
    if let Some(refusal) = app.refuses(proof.unwrap_or_default(), now) {
        return Some(refusal);
    }
    Some(match (method, path) {
        ("GET", ["app"]) => Reply::json(
            200,
            &shape::app(
                json!({ "id": app.id, "client_id": app.client_id, "slug": app.slug, "name": "Night shift" }),
            ),
        ),
        ("GET", ["app", "installations"]) => Reply::json(200, &app.installations.iter().map(shown).collect()),
        ("GET", ["repos", owner, name, "installation"]) => {
            let known = model.repos.contains_key(&format!("{owner}/{name}"));
            let found = app.installations.iter().find(|one| known && one.owner == *owner);
            found.map_or_else(|| Reply::error(404, "Not Found"), |one| Reply::json(200, &shown(one)))
        }
        ("POST", ["app", "installations", id, "access_tokens"]) => {
            match app.installations.iter().find(|one| one.id.to_string() == *id).cloned() {
                None => Reply::error(404, "Not Found"),
                Some(one) if one.suspended => Reply::error(403, "This installation has been suspended"),
                Some(one) => {
                    let token = format!("ghs_sim{}x{number}", one.id);
                    app.tokens.push((token.clone(), one.id, now + 3600));
                    let made = json!({ "token": token, "expires_at": moment(now + 3600), "permissions": one.rights,
                        "repository_selection": "selected" });
                    Reply::json(201, &made)
                }
            }
        }
        _ => Reply::error(404, "Not Found"),
    })
}

/// Why a token of an installation may not do this.
pub fn refusal(of: &Installation, method: &str, path: &[&str]) -> Option<Reply> {
    let writes = method != "GET";
    let needed = match path {
        ["user"] => None,
        ["repos", owner, ..] if *owner != of.owner => None,
        ["repos", _, _, "issues" | "labels", ..] => Some("issues"),
        ["repos", _, _, "pulls", ..] => Some("pull_requests"),
        ["repos", _, _, "commits", _, "check-runs"] => Some("checks"),
        ["repos", _, _, "commits", _, "status" | "statuses"] => Some("statuses"),
        ["repos", _, _, "actions", ..] => Some("actions"),
        _ => Some("metadata"),
    };
    let held = needed.and_then(|right| of.rights.get(right)).copied().unwrap_or_default();
    let may = held == "write" || held == "read" && !writes;
    (!may).then(|| Reply::error(403, "Resource not accessible by integration"))
}
