//! Questions: keyboard-interactive (RFC 4256) and passwords. What the server asks is shown apart from which hop
//! asks it, and no secret that was typed once is ever given to another question.

use std::sync::Arc;

use russh::client::KeyboardInteractiveAuthResponse as Response;

use super::{ANSWER_LIMIT, Attempt, Verdict};
use crate::base::{Secret, Untrusted};
use crate::model::Prompt;
use crate::ssh::attendant::Answer;
use crate::ssh::error::SshError;

const TRIES: usize = 3;
/// Questions of one server altogether.
const QUESTIONS: usize = 16;
const ROUNDS: usize = 32;

impl Attempt<'_> {
    pub(super) async fn by_password(&mut self) -> Result<Verdict, SshError> {
        if self.attendant.is_headless() {
            return Ok(Verdict::NotYet { partial: false });
        }
        for attempt in 1..=TRIES {
            let prompt = Prompt::Password { hop: Arc::from(self.hop), user: Arc::from(self.user_shown()) };
            let Answer::Text(password) = self.attendant.ask(prompt).await else {
                self.cancelled = true;
                return Ok(Verdict::NotYet { partial: false });
            };
            let request = self.handle.authenticate_password(self.settings.user.clone(), password.expose().clone());
            let answer = self.attendant.within(ANSWER_LIMIT, request).await;
            let verdict = self.judge("password", answer);
            if attempt == 1 {
                self.tried.push("password".to_owned());
            }
            match verdict? {
                Verdict::NotYet { partial: false } if self.offers(russh::MethodKind::Password) => {}
                other => return Ok(other),
            }
        }
        Ok(Verdict::NotYet { partial: false })
    }

    pub(super) async fn by_questions(&mut self) -> Result<Verdict, SshError> {
        if self.attendant.is_headless() {
            return Ok(Verdict::NotYet { partial: false });
        }
        let mut asked = 0;
        self.tried.push("keyboard-interactive".to_owned());
        for _ in 0..TRIES {
            let start = self.handle.authenticate_keyboard_interactive_start(self.settings.user.clone(), None);
            let mut answer = self.attendant.within(ANSWER_LIMIT, start).await;
            for _ in 0..ROUNDS {
                let response = match answer {
                    Some(Ok(response)) => response,
                    Some(Err(_)) => return Err(self.refusal()),
                    None => {
                        let hop = self.hop.to_owned();
                        return Err(SshError::TimedOut { hop, step: "authentication", limit: ANSWER_LIMIT });
                    }
                };
                match response {
                    Response::Success => return Ok(Verdict::In),
                    Response::Failure { remaining_methods, partial_success } => {
                        self.heard(remaining_methods)?;
                        if partial_success || !self.offers(russh::MethodKind::KeyboardInteractive) || asked == 0 {
                            return Ok(Verdict::NotYet { partial: partial_success });
                        }
                        break;
                    }
                    Response::InfoRequest { name, instructions, prompts } => {
                        asked += prompts.len();
                        if asked > QUESTIONS {
                            self.tried.push(format!("gave up after {QUESTIONS} questions"));
                            return Ok(Verdict::NotYet { partial: false });
                        }
                        let heading = format!("{name}\n{instructions}");
                        let Some(answers) = self.answers(heading.trim(), &prompts).await else {
                            self.cancelled = true;
                            return Ok(Verdict::NotYet { partial: false });
                        };
                        let plain = answers.iter().map(|a| a.expose().clone()).collect();
                        let respond = self.handle.authenticate_keyboard_interactive_respond(plain);
                        answer = self.attendant.within(ANSWER_LIMIT, respond).await;
                    }
                }
            }
        }
        Ok(Verdict::NotYet { partial: false })
    }

    /// `None` where the operator does not want to.
    async fn answers(&self, heading: &str, prompts: &[russh::client::Prompt]) -> Option<Vec<Secret<String>>> {
        let mut out = Vec::with_capacity(prompts.len());
        for question in prompts {
            let prompt = Prompt::Interactive {
                hop: Arc::from(self.hop),
                user: Arc::from(self.user_shown()),
                instruction: Untrusted::from(heading),
                question: Untrusted::from(question.prompt.as_str()),
                echo: question.echo,
            };
            let Answer::Text(text) = self.attendant.ask(prompt).await else { return None };
            out.push(text);
        }
        Some(out)
    }

    fn user_shown(&self) -> String {
        crate::base::text::clean(&self.settings.user)
    }
}
