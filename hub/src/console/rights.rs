//! Who may see and do what: the roles of people, the rights they have, and the table in which every route names the right it takes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request};
use axum::handler::Handler;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use console::{Person, Problem, Visit};

use super::Console;

/// An area of the console. Looking and acting are asked for apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Right {
    /// Cases: inbox, acts, errands.
    Work,
    /// Conflicts, set-aside records, what waits after a revocation, follow-ups.
    Settle,
    /// The wall, rooms, alerts; acting: muting.
    Watch,
    /// Tickets, devices, replacing a PC.
    Members,
    /// Organisation, catalogue, calendar.
    Publish,
    /// Reports; acting: freezing one.
    Report,
    /// Who works where.
    Users,
    /// The audit trail.
    Audit,
    /// Personal values in the clear, for a reason.
    Reveal,
}

use Right::{Audit, Members, Publish, Report, Reveal, Settle, Users, Watch, Work};

/// A role's word, what it looks at and what it does.
const ROLES: &[(&str, &[Right], &[Right])] = &[
    ("clerk", &[Work, Settle, Watch, Report, Reveal], &[Work, Reveal]),
    (
        "head",
        &[Work, Settle, Watch, Members, Report, Users, Audit, Reveal],
        &[Work, Settle, Watch, Members, Report, Users, Reveal],
    ),
    (
        "operator",
        &[Work, Settle, Watch, Members, Publish, Report, Users, Reveal],
        &[Work, Settle, Watch, Members, Reveal],
    ),
    (
        "admin",
        &[Work, Settle, Watch, Members, Publish, Report, Users, Audit],
        &[Settle, Watch, Members, Publish, Report, Users],
    ),
    (
        "auditor",
        &[Work, Settle, Watch, Members, Publish, Report, Users, Audit],
        &[],
    ),
];

/// What a route takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
    /// To have signed in.
    Person,
    Look(Right),
    Act(Right),
}

/// Whether somebody may look at an area.
pub(super) fn may_look(person: Option<&Person>, right: Right) -> bool {
    may(person, Need::Look(right))
}

/// Whether somebody may act in an area.
pub(super) fn may_act(person: Option<&Person>, right: Right) -> bool {
    may(person, Need::Act(right))
}

fn may(person: Option<&Person>, need: Need) -> bool {
    let Some(person) = person else { return false };
    let of = ROLES.iter().filter(|(role, ..)| person.is(role));
    match need {
        Need::Person => true,
        Need::Look(right) => of.into_iter().any(|(_, looks, _)| looks.contains(&right)),
        Need::Act(right) => of.into_iter().any(|(_, _, acts)| acts.contains(&right)),
    }
}

/// Routes, each with what it takes. Whoever adds a page adds it through here: the right is asked for by the place, not by the page.
pub(super) struct Routes {
    router: Router<Arc<Console>>,
    listed: Vec<(&'static str, &'static str, Need)>,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self {
            router: Router::new(),
            listed: Vec::new(),
        }
    }

    /// For everybody who has signed in.
    pub(super) fn everybody(self, path: &'static str, method: MethodRouter<Arc<Console>>) -> Self {
        self.add(path, "ANY", Need::Person, method)
    }

    /// A page of an area.
    pub(super) fn look<H, T>(self, right: Right, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Console>>,
        T: 'static,
    {
        self.add(path, "GET", Need::Look(right), get(handler))
    }

    /// A form that changes nothing: a search whose words must not stand in an address.
    pub(super) fn seek<H, T>(self, right: Right, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Console>>,
        T: 'static,
    {
        self.add(path, "POST", Need::Look(right), post(handler))
    }

    /// A form that changes something.
    pub(super) fn act<H, T>(self, right: Right, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Console>>,
        T: 'static,
    {
        self.add(path, "POST", Need::Act(right), post(handler))
    }

    /// Those of another module.
    pub(super) fn with(mut self, other: Routes) -> Self {
        self.router = self.router.merge(other.router);
        self.listed.extend(other.listed);
        self
    }

    fn add(mut self, path: &'static str, name: &'static str, need: Need, method: MethodRouter<Arc<Console>>) -> Self {
        let asked = middleware::from_fn(move |visit, request, next| allow(need, visit, request, next));
        self.router = self.router.route(path, method.route_layer(asked));
        self.listed.push((path, name, need));
        self
    }

    pub(super) fn router(self) -> Router<Arc<Console>> {
        self.router
    }

    #[cfg(test)]
    pub(super) fn listed(&self) -> Vec<(&'static str, &'static str, Need)> {
        self.listed.clone()
    }
}

async fn allow(need: Need, Extension(visit): Extension<Visit>, request: Request, next: Next) -> Response {
    match may(visit.person.as_ref(), need) {
        true => next.run(request).await,
        false => Problem::not_allowed().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use ledger::id::UserId;

    use super::*;

    fn person(role: &str) -> Person {
        Person {
            id: UserId([1; 8]),
            name: "王主任".to_owned(),
            roles: vec![role.to_owned()],
            cover: None,
        }
    }

    #[test]
    fn an_auditor_sees_everything_and_changes_nothing_and_nobody_acts_where_he_may_not_look() {
        for (role, looks, acts) in ROLES {
            let somebody = person(role);
            for right in [Work, Settle, Watch, Members, Publish, Report, Users, Audit, Reveal] {
                assert_eq!(
                    may_look(Some(&somebody), right),
                    looks.contains(&right),
                    "{role} {right:?}"
                );
                assert!(!acts.contains(&right) || looks.contains(&right), "{role} {right:?}");
                assert!(*role != "auditor" || !may_act(Some(&somebody), right), "{right:?}");
                assert!(!may_look(None, right));
            }
        }
        assert!(
            !may_look(Some(&person("singer")), Work),
            "a role of a later version has no rights here"
        );
        assert!(!may_act(Some(&person("clerk")), Settle) && may_act(Some(&person("head")), Settle));
        assert!(!may_look(Some(&person("admin")), Reveal) && !may_look(Some(&person("auditor")), Reveal));
    }
}
