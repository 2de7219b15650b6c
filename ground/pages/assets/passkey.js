// Asks the browser for a passkey and sends its word with the form (本人確認).
// The options come from the server in the form's data-options; no value of the
// answer is shown or kept.

const missing = "このブラウザーではパスキーを使えません。庁内の標準のブラウザーで開いてください。";
const origin = "この画面のアドレスでは、パスキーを使えません。登録したときのアドレスで開いてください。";
const given = "機器での確認が取り消されたか、時間切れになりました。もう一度押してください。";
const known = "この機器は、すでに登録されています。";

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function listed(credentials) {
  return (credentials || []).map((one) => ({ ...one, id: bytes(one.id) }));
}

function creation(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: listed(options.excludeCredentials),
  };
}

function request(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: listed(options.allowCredentials),
  };
}

function word(credential) {
  const from = credential.response;
  const response = { clientDataJSON: text(from.clientDataJSON) };
  if (from.attestationObject) {
    response.attestationObject = text(from.attestationObject);
  } else {
    response.authenticatorData = text(from.authenticatorData);
    response.signature = text(from.signature);
    response.userHandle = from.userHandle ? text(from.userHandle) : null;
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    extensions: {},
    response,
  });
}

function reason(error) {
  if (error.name === "SecurityError") return origin;
  if (error.name === "InvalidStateError") return known;
  return given;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const told = form.querySelector("[data-passkey-told]");
  const tell = (message) => {
    told.textContent = message;
    told.hidden = false;
  };
  if (!window.PublicKeyCredential) {
    button.disabled = true;
    tell(missing);
    continue;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const options = JSON.parse(form.dataset.options).publicKey;
      const credential = form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: creation(options) })
        : await navigator.credentials.get({ publicKey: request(options) });
      form.elements.namedItem("answer").value = word(credential);
      form.submit();
    } catch (error) {
      button.disabled = false;
      tell(reason(error));
    }
  });
}
