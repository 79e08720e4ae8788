//! Coming in by ticket. The line of a newcomer is taken as good: what bad lines do is told where everybody has one.

use office::{Output, SessionId};
use replica::frame::{Inbound, Outbound, Welcome};
use replica::session::Dialled;
use replica::statement::Role;
use replica::ticket::Ticket;
use serde_json::Value;

use super::transport::decode;
use super::{Seat, World};

impl World {
    /// A device asks a hub to let it in with a ticket. Afterwards it belongs there; a line is another matter.
    ///
    /// # Errors
    /// What the hub answered, or the device's own refusal; `down` when one of them does not run.
    pub fn join(&mut self, seat: Seat, hub: Seat, role: Role, ticket: &str) -> Result<Value, String> {
        let ticket = Ticket::parse(ticket).map_err(|e| e.to_string())?;
        let name = self.name(seat).to_owned();
        let (now, now_hub) = (self.now(seat), self.now(hub));
        let down = || "down".to_owned();
        let office = self.office(seat).ok_or_else(down)?;
        let device = office.device();
        let request = office.join_request(role, &name, &ticket).map_err(|e| e.to_string())?;
        let bytes = Outbound::Join(Box::new(request)).encode();
        let asked = decode(&bytes).map_err(|e| e.to_string())?;
        self.round(hub);
        let office = self.office_mut(hub).ok_or_else(down)?;
        let id = office.connect(now_hub, device, Dialled::Them, "sim");
        // What the newcomer does wrong is said in the answer.
        let _ = office.inbound(now_hub, id, asked);
        let committed = office.commit(now_hub).map_err(|e| e.to_string());
        let answer = self.answer(hub, id);
        if let Some(office) = self.office_mut(hub) {
            office.disconnected(now_hub, id);
        }
        self.round(hub);
        committed?;
        if answer.is_ok() {
            self.oracle.let_in(device, ticket.unit, &ticket.code.to_string());
        }
        let office = self.office_mut(seat).ok_or_else(down)?;
        let joined = office.joined(now, &ticket, &answer?).map_err(|e| e.to_string());
        self.round(seat);
        if joined.is_ok() {
            self.dial_lines_of(seat);
        }
        joined
    }

    /// What a hub answers to a newcomer. Outputs of its other sessions go their ways.
    fn answer(&mut self, hub: Seat, id: SessionId) -> Result<Welcome, String> {
        let mut answer = Err("the hub does not answer".to_owned());
        while let Some((to, output)) = self.places[hub.0].office.as_mut().and_then(office::Office::next_output) {
            if to != id {
                self.route(hub, to, output);
                continue;
            }
            let Output::Send(bytes) = output else { continue };
            match decode(&bytes).map_err(|e| e.to_string())? {
                Inbound::Welcome(welcome) => answer = Ok(welcome),
                Inbound::Bye(bye) => answer = Err(bye.text),
                _ => {}
            }
        }
        answer
    }
}
