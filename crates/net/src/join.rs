//! Joining a county: one exchange with the hub that gave the ticket, before there is anything to sync.

use std::time::Duration;

use office::command::CommandError;
use quinn::{Connection, RecvStream, SendStream};
use replica::frame::{Frame, HEADER_LEN, Header, Inbound, JoinRequest, Outbound, Welcome};
use replica::statement::Role;
use replica::ticket::Ticket;
use tokio::time::timeout;
use tracing::info;

use crate::endpoint::{ConnectError, Identity, is_revoked};
use crate::keeper::{Answer, Keeper};
use crate::link::CloseCode;

/// The hub admits, commits and answers within this time, even over the slowest line.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Frames that a hub may say before its answer (a greeting, kinds of later versions).
const FRAMES_MAX: usize = 16;

/// Shows the ticket to the hub that gave it, at the first of the ticket's addresses and `addrs` where it is reached, and takes in
/// its answer. All of them are kept, in that order: what the ticket names comes first, further ways up (the county) after it.
/// What it returns is durable.
///
/// # Errors
/// In Chinese, with what to do next: nobody there, ticket refused, folder in a county already.
pub async fn join(
    keeper: &Keeper,
    identity: &Identity,
    ticket: &Ticket,
    addrs: &[String],
    role: Role,
    name: &str,
) -> Answer {
    let request = keeper.join_request(role, name, ticket).await?;
    let mut ticket = ticket.clone();
    for addr in addrs {
        if !ticket.addrs.contains(addr) {
            ticket.addrs.push(addr.clone());
        }
    }
    let mut tried = Vec::new();
    for addr in &ticket.addrs {
        // Only the ticket's hub knows its secret; anybody else at that address must not learn it.
        match identity.connect(addr, Some(ticket.hub)).await {
            Ok((endpoint, connection)) => {
                let answer = exchange(&connection, &request).await;
                CloseCode::Done.close(&connection, "joined");
                endpoint.wait_idle().await;
                let welcome = answer?;
                info!(addr, "welcomed");
                return keeper.joined(&ticket, welcome).await;
            }
            Err(error) => tried.push(format!("{addr}：{}", words(&error))),
        }
    }
    Err(CommandError::failed(
        "unreachable",
        format!(
            "联系不上上级中心（{}）。请检查网络和地址后再试，入网票仍然有效。",
            tried.join("；")
        ),
    ))
}

const REVOKED: &str = "这台设备已被上级停用，不能再加入。要重新启用，请换一个新的数据文件夹，再用新的入网票加入；已经传到上级的办件不会丢";

fn words(error: &ConnectError) -> String {
    match error {
        ConnectError::Handshake(error) if is_revoked(error) => REVOKED.to_owned(),
        ConnectError::Unresolved(_) => "找不到这个地址".to_owned(),
        ConnectError::Silent => "没有回应".to_owned(),
        ConnectError::Handshake(quinn::ConnectionError::TimedOut) => "没有回应".to_owned(),
        ConnectError::Handshake(error) => format!("不是开出入网票的中心，或已拒绝本机（{error}）"),
        ConnectError::Socket(error) => error.to_string(),
        ConnectError::Setup(error) => error.clone(),
    }
}

async fn exchange(connection: &Connection, request: &JoinRequest) -> Result<Welcome, CommandError> {
    let broken = |why: String| {
        if connection.close_reason().is_some_and(|reason| is_revoked(&reason)) {
            return CommandError::failed("revoked", format!("{REVOKED}。"));
        }
        CommandError::failed(
            "broken",
            format!("与上级中心的联系中断（{why}），请再试一次，入网票仍然有效。"),
        )
    };
    let work = async {
        let (mut send, mut recv) = connection.open_bi().await.map_err(|e| broken(e.to_string()))?;
        ask(&mut send, request).await.map_err(broken)?;
        for _ in 0..FRAMES_MAX {
            match next(&mut recv).await.map_err(broken)? {
                Frame::Welcome(welcome) => return Ok(welcome),
                Frame::Bye(bye) => {
                    let text = if bye.text.is_empty() {
                        "上级中心没有接受入网票，请向它要一张新的。"
                    } else {
                        &bye.text
                    };
                    return Err(CommandError::failed("join_refused", text));
                }
                _ => {}
            }
        }
        Err(broken("答复太多".to_owned()))
    };
    timeout(ANSWER_MAX, work)
        .await
        .unwrap_or_else(|_| Err(broken("没有答复".to_owned())))
}

async fn ask(send: &mut SendStream, request: &JoinRequest) -> Result<(), String> {
    let frame: Outbound = Frame::Join(Box::new(request.clone()));
    send.write_all(&frame.encode()).await.map_err(|e| e.to_string())
}

async fn next(recv: &mut RecvStream) -> Result<Inbound, String> {
    let mut head = [0; HEADER_LEN];
    recv.read_exact(&mut head).await.map_err(|e| e.to_string())?;
    let header = Header::decode(head).map_err(|e| e.to_string())?;
    let mut body = vec![0; header.len];
    recv.read_exact(&mut body).await.map_err(|e| e.to_string())?;
    Inbound::decode(header.kind, &body).map_err(|e| e.to_string())
}
