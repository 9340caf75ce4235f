//! Notices on the person's desktop. What is worth one is decided by sessions; where there is no desktop nothing is shown, and that is
//! nobody's error.

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its first line.
    pub title: String,
    /// What it is about.
    pub body: String,
}

/// What shows notices. It never waits and never fails.
pub trait Desktop: Send + Sync {
    /// Shows one.
    fn show(&self, note: Note);
}

/// The desktop of the person whose daemon this is, over the session's bus.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionBus;

impl Desktop for SessionBus {
    fn show(&self, note: Note) {
        tokio::spawn(async move {
            let mut notice = notify_rust::Notification::new();
            notice.appname("pilotfish").summary(&note.title).body(&escaped(&note.body)).icon("dialog-information");
            if let Err(error) = notice.show_async().await {
                tracing::info!(%error, "no notice could be shown on the desktop");
            }
        });
    }
}

/// The body may have marks like those of HTML, and what is shown comes from models and commands.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_body_is_a_mark() {
        assert_eq!(escaped("a <b>& c"), "a &lt;b&gt;&amp; c");
    }
}
