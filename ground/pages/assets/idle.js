// Idle lock: after data-idle seconds without input the page empties itself and
// asks the server to lock the session. All tabs of the browser keep one time.
// The server ends idle sessions by itself too; this only clears the screen.

const seconds = Number(document.body.dataset.idle);
const channel = "BroadcastChannel" in window ? new BroadcastChannel("mimamori-idle") : null;
let last = Date.now();
let told = 0;
let locked = false;

function token() {
  const input = document.querySelector("form[data-sign-out] input[name=csrf]");
  return input ? input.value : "";
}

function empty() {
  const csrf = token();
  for (const part of document.querySelectorAll("main, .head-banner")) {
    part.replaceChildren();
  }
  document.title = "見守り Mimamori";
  return csrf;
}

function lock() {
  if (locked) return;
  locked = true;
  const csrf = empty();
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/lock";
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = "csrf";
  input.value = csrf;
  form.append(input);
  document.body.append(form);
  form.submit();
}

function lockEverywhere() {
  if (channel) channel.postMessage("lock");
  lock();
}

function active() {
  // Late input must not revive a page whose time is over (sleeping computer).
  if (check()) return;
  last = Date.now();
  if (channel && last - told > 1000) {
    told = last;
    channel.postMessage("active");
  }
}

function check() {
  if (locked) return true;
  if (Date.now() - last < seconds * 1000) return false;
  lockEverywhere();
  return true;
}

if (seconds > 0) {
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "input"]) {
    window.addEventListener(kind, active, { capture: true, passive: true });
  }
  document.addEventListener("visibilitychange", check);
  document.addEventListener("submit", (event) => {
    if (event.target instanceof HTMLFormElement && "signOut" in event.target.dataset && channel) {
      channel.postMessage("lock");
    }
  });
  if (channel) {
    channel.addEventListener("message", (event) => {
      if (event.data === "lock") lock();
      else if (event.data === "active" && !check()) last = Date.now();
    });
    channel.postMessage("active");
  }
  window.setInterval(check, 1000);
}

// A page kept by the browser's back button may belong to an ended session.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    empty();
    window.location.reload();
  }
});
