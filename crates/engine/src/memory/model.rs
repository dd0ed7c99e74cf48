//! A model that follows a script: answers, faults and silence as a test wants them. Must not be served from.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use pilotage_domain::time::Millis;

use super::hold;
use crate::port::Answer;
use crate::port::model::{Model, ModelError, Raw};

/// What a scripted model does with a request.
#[derive(Debug, Clone)]
pub enum Line {
    /// Answers at once.
    Says(Raw),
    /// Answers after so long; not at all where that is too late.
    SaysAfter(Millis, Raw),
    /// Fails at once.
    Fails(ModelError),
    /// Says nothing until the time is over.
    Hangs,
}

impl Line {
    /// A success with this JSON.
    pub fn says(body: impl Into<Bytes>) -> Self {
        Self::Says(Raw {
            status: 200,
            content_type: Some("application/json".into()),
            body: body.into(),
            ..Raw::default()
        })
    }

    /// An answer of that status without a word.
    pub fn status(status: u16) -> Self {
        Self::Says(Raw { status, ..Raw::default() })
    }
}

/// A model that does as it is told.
pub struct Scripted {
    play: Box<dyn Fn(usize, &[u8]) -> Line + Send + Sync>,
    asked: Mutex<Vec<Bytes>>,
}

impl Scripted {
    /// Plays a line for each request: what it does depends on the number of requests before, and on the request.
    pub fn of(play: impl Fn(usize, &[u8]) -> Line + Send + Sync + 'static) -> Self {
        Self { play: Box::new(play), asked: Mutex::default() }
    }

    /// Plays these lines in order, then hangs.
    pub fn lines(lines: impl IntoIterator<Item = Line>) -> Self {
        let lines: Vec<Line> = lines.into_iter().collect();
        Self::of(move |place, _| lines.get(place).cloned().unwrap_or(Line::Hangs))
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Bytes> {
        hold(&self.asked).clone()
    }
}

impl Model for Scripted {
    fn ask(&self, request: Bytes, within: Millis) -> Answer<'_, Result<Raw, ModelError>> {
        let line = {
            let mut asked = hold(&self.asked);
            let line = (self.play)(asked.len(), &request);
            asked.push(request);
            line
        };
        let sleep = |ms: Millis| tokio::time::sleep(Duration::from_millis(ms.get()));
        Box::pin(async move {
            match line {
                Line::Says(raw) => Ok(raw),
                Line::Fails(error) => Err(error),
                Line::SaysAfter(pause, raw) if pause < within => {
                    sleep(pause).await;
                    Ok(raw)
                }
                Line::SaysAfter(..) | Line::Hangs => {
                    sleep(within).await;
                    Err(ModelError::TimedOut)
                }
            }
        })
    }
}
