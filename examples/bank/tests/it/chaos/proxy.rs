//! What lies between the processes and the look-alikes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How bad it is: one of so many pieces of an answer is lost with its connection, one of as many requests is late; 0 is
/// never.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weather {
    rarity: Arc<AtomicU64>,
    chance: Arc<AtomicU64>,
}

impl Weather {
    pub(crate) fn set(&self, rarity: u64) {
        self.rarity.store(rarity, Ordering::Relaxed);
    }

    pub(crate) fn strikes(&self) -> bool {
        let rarity = self.rarity.load(Ordering::Relaxed);
        rarity > 0 && self.below(rarity) == 0
    }

    /// A number below a bound.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        let state = self.chance.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

/// Passes on what comes to a new port to the port of this address, as the weather is. Gives the new port.
pub(crate) async fn before(address: String, weather: Weather) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (address, weather) = (address.clone(), weather.clone());
            tokio::spawn(async move {
                if let Ok(server) = TcpStream::connect(&address).await {
                    pass(client, server, &weather).await;
                }
            });
        }
    });
    port
}

async fn pass(client: TcpStream, server: TcpStream, weather: &Weather) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_client.read(&mut piece).await {
            if weather.strikes() {
                tokio::time::sleep(Duration::from_millis(weather.below(1_500))).await;
            }
            if to_server.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    };
    let back = async {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_server.read(&mut piece).await {
            // The request was carried out, and nobody hears of it.
            if weather.strikes() || to_client.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    };
    // Whichever side ends takes the other with it.
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

/// Answers as the `dev` at this address does when it is asked where its backends are, with the proxies in their place.
/// Gives the port.
pub(crate) async fn instead_of(dev: &str, weather: &Weather) -> u16 {
    let url = format!("{dev}/v1/admin/config");
    let mut config: serde_json::Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
    let endpoints = config["backends"]["endpoints"].as_object_mut().unwrap();
    for endpoint in endpoints.values_mut() {
        let address =
            endpoint.as_str().unwrap().trim_start_matches("http://").trim_end_matches('/').to_owned();
        *endpoint = format!("http://127.0.0.1:{}", before(address, weather.clone()).await).into();
    }
    let body = config.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut request = vec![0; 4_096];
            let _asked = client.read(&mut request).await;
            let _answered = client.write_all(answer.as_bytes()).await;
        }
    });
    port
}
