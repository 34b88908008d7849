//! A browser reduced to what the server sees of it, and a ward for it to meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use gandan_core::environment::{Environment, SystemEnvironment};
use gandan_core::model::{DeviceId, DocumentId, Role, Timestamp};
use gandan_core::protocol::enrolment::EnrolmentRequest;
use gandan_core::replica::{NewCase, Replica};
use gandan_core::store::StoreKey;
use gandan_server::app::{self, DeskCase};
use gandan_server::console::{Entrance, Transport, router};
use gandan_server::ward::{Origin, Staff, Ward};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// 2 March 2026, 8 o'clock in Việt Nam.
const START_MS: i64 = 1_772_413_200_000;

pub(crate) const PASSWORD: &str = "mật khẩu dài";
pub(crate) const HOST: &str = "127.0.0.1:8080";

/// A clock that the test turns, and random bytes that are the same in every run.
pub(crate) struct Clock {
    now: AtomicI64,
    draws: AtomicU64,
}

impl Clock {
    pub(crate) fn advance(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Environment for Clock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let draw = self.draws.fetch_add(1, Ordering::SeqCst);
        blake3::Hasher::new()
            .update(&draw.to_be_bytes())
            .finalize_xof()
            .fill(bytes);
    }
}

/// A ward with a clerk, a chair and an administrator, and its console.
pub(crate) struct Office {
    pub(crate) ward: Ward,
    pub(crate) clock: Arc<Clock>,
    router: Router,
    _folder: TempDir,
}

impl Office {
    pub(crate) fn open() -> Self {
        Self::open_behind(Transport::ClearText)
    }

    pub(crate) fn open_behind(entrance: impl Into<Entrance>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Clock {
            now: AtomicI64::new(START_MS),
            draws: AtomicU64::new(0),
        });
        let ward = Ward::init(folder.path(), "26995".parse().unwrap(), clock.clone()).unwrap();
        for (login, name, role) in [
            ("dung", "Nguyễn Thị Dung", Role::Triage),
            ("thinh", "Lê Văn Thịnh", Role::Chair),
            ("quantri", "Quản trị", Role::Admin),
        ] {
            ward.add_staff(login, name, role, PASSWORD).unwrap();
        }
        Self {
            router: router(ward.clone(), entrance),
            ward,
            clock,
            _folder: folder,
        }
    }

    /// A browser that is signed in.
    pub(crate) async fn signed_in(&self, login: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.sign_in(login, PASSWORD).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        browser
    }

    /// A browser that nobody has signed in with.
    pub(crate) fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookie: None,
        }
    }

    /// What an authenticator shows now.
    pub(crate) fn code(&self, secret: &str) -> String {
        let totp = totp_rs::Builder::new()
            .with_secret(totp_rs::Secret::try_from_base32(secret).unwrap())
            .build()
            .unwrap();
        let seconds = u64::try_from(self.clock.now().0 / 1_000).unwrap();
        totp.generate(seconds).to_string()
    }

    /// A session that no browser has.
    pub(crate) fn token(&self, login: &str) -> String {
        let signed_in = self.ward.sign_in(&Origin::default(), login, PASSWORD);
        signed_in.unwrap().unwrap().token
    }

    /// A case that came by telephone.
    pub(crate) fn record(&self, case: DeskCase) -> Uuid {
        let token = self.token("dung");
        let staff: Staff = self.ward.session(&token).unwrap().unwrap();
        app::record(&self.ward, &staff, case).unwrap().0
    }

    /// The phone of an officer, enrolled, in a folder that lives as long as it.
    pub(crate) fn phone(&self, name: &str) -> (TempDir, Replica) {
        let invited = self.ward.officer(name, Role::Officer, &[]).unwrap();
        let invite = self
            .ward
            .invite(invited, &["127.0.0.1:4433".to_owned()], 60_000)
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let phone = Replica::open(
            folder.path(),
            &StoreKey::new([7; 32]),
            Arc::new(SystemEnvironment),
        )
        .unwrap();
        let request = EnrolmentRequest {
            token: invite.token,
            device_name: "Điện thoại thử".to_owned(),
        };
        let device = DeviceId::of(&phone.device_key());
        let enrolment = self.ward.enrol(device, &request).unwrap().unwrap();
        phone.set_enrolment(&enrolment).unwrap();
        (folder, phone)
    }

    /// Keeps a photo as if a phone had brought it.
    pub(crate) fn attach(&self, bytes: &[u8]) {
        let (_folder, phone) = self.phone("Trần Văn Đạt");
        let case = phone.record_case(NewCase::default()).unwrap().id;
        phone.attach(case, "anh.png", bytes).unwrap();
        self.ward
            .import_rescue(&phone.rescue_file().unwrap())
            .unwrap();
    }

    /// How many edits there are of a case.
    pub(crate) fn edits(&self, case: Uuid) -> usize {
        self.ward.history(DocumentId::case(case)).unwrap().len()
    }
}

/// What came back.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Page {
    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(header::LOCATION)
    }

    /// The value of the first hidden field of that name.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let from = self.body.find(&mark).expect("the form has this field") + mark.len();
        let rest = &self.body[from..];
        let value = &rest[..rest.find('"').unwrap()];
        value
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#38;", "&")
    }
}

pub(crate) struct Browser {
    router: Router,
    pub(crate) cookie: Option<String>,
}

impl Browser {
    pub(crate) async fn sign_in(&mut self, login: &str, password: &str) -> Page {
        self.post("/login", &[("login", login), ("password", password)])
            .await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = Request::get(path).header(header::HOST, HOST);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A form of our own page.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.post_from(Some("same-origin"), path, form.finish())
            .await
    }

    /// A form of any page.
    pub(crate) async fn post_from(&mut self, site: Option<&str>, path: &str, body: String) -> Page {
        let mut request = Request::post(path)
            .header(header::HOST, HOST)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> Page {
        if let Some(cookie) = &self.cookie {
            let cookie = cookie.parse().unwrap();
            request.headers_mut().insert(header::COOKIE, cookie);
        }
        let is_head = request.method() == Method::HEAD;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 32 << 20).await.unwrap().to_vec();
        assert!(!is_head || bytes.is_empty());
        if let Some(cookie) = parts.headers.get(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        Page {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }
}

/// A case as a telephone call brings it.
pub(crate) fn call(text: &str) -> DeskCase {
    DeskCase {
        source: gandan_core::model::Source::Phone,
        kind: gandan_core::model::ReportedKind::Report,
        category: "road".to_owned(),
        area: None,
        place: None,
        urgency: gandan_core::model::Urgency::Normal,
        text: text.to_owned(),
        citizen: None,
    }
}
