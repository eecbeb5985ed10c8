/* What only a browser can do for the page: open marks that are already there, scroll, copy, save, keys, theme.
   Loaded before gradio; each part made of our HTML calls gazette.wire once it stands. */
"use strict";
window.gazette = (() => {
	const root = document.documentElement;
	const kept = {
		get: (key) => { try { return localStorage.getItem("gazette-" + key); } catch { return null; } },
		set: (key, value) => { try { localStorage.setItem("gazette-" + key, value); } catch { /* private mode */ } },
	};
	const calm = matchMedia("(prefers-reduced-motion: reduce)");
	const narrow = matchMedia("(max-width: 820px)");
	const $ = (selector) => document.querySelector(selector);
	const triggers = new Map(); // a part's element -> gradio's trigger for its events
	let cameFrom = null; // the chip to go back to
	let going = false; // the reader asked for a place, and not for another language or a new answer

	/* theme */
	function theme(name) {
		root.dataset.theme = name;
		document.body?.classList.toggle("dark", name === "dark");
	}
	const preferred = () => kept.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
	theme(preferred());

	/* parts and their events */
	function wire(element, trigger, watch, props, events) {
		triggers.set(element, { trigger, events });
		theme(preferred());
		const id = element.closest("[id]:not([id^=html-])")?.id;
		if (id === "top") { watch("value", language); language(); }
		if (id === "turns") { watch("value", newest); named(element, "log"); }
		if (id === "reader") { watch("value", settle); settle(); }
		if (id === "adding") { watch("value", adding); setTimeout(adding, 0); }
		if (id === "shelves") watch("value", () => { if (taken) $("#shelves [data-act=restore]")?.focus(); taken = false; });
		document.body.classList.add("is-ready");
	}
	function send(from, action, data) {
		for (const [element, part] of triggers) {
			if (element.contains(from) && part.events.includes(action)) return part.trigger(action, data);
		}
	}
	/* what the parts are called, for those who hear the page */
	function named(element, role, label) {
		element?.setAttribute("role", role); // the parts come one after the other
		if (label) element?.setAttribute("aria-label", label);
	}
	const language = () => {
		const top = $(".top");
		named($("#top"), "banner");
		named($("#talk"), "region", top.dataset.conversation);
		named($("#side"), "region", top.dataset.reader);
		root.lang = top.dataset.language === "en" ? "en" : "zh-CN";
		if (document.body.classList.contains("is-arrived")) kept.set("language", top.dataset.language);
		$("#question .submit-button")?.setAttribute("aria-label", top.dataset.ask);
		document.title = $("#top h1 span:last-child").textContent;
	};

	/* the reading pane */
	function settle() {
		const pane = $("#reader .pane");
		if (!pane) return;
		const mark = pane.querySelector("mark.is-focus");
		if (mark) return show(mark);
		const current = pane.querySelector(".contents [aria-current]");
		current?.scrollIntoView({ block: "nearest" });
		pane.querySelector(".paper")?.scrollTo({ top: 0 });
		if (narrow.matches && going) $("#side").scrollIntoView();
		going = false;
	}
	function show(mark) {
		const paper = mark.closest(".paper");
		const box = mark.getBoundingClientRect(), around = paper.getBoundingClientRect();
		const middle = paper.scrollTop + box.top - around.top - (around.height - box.height) / 2;
		// Only the paper moves: scrollIntoView would pull a phone's page away from the answer just given.
		paper.scrollTo({ top: middle, behavior: calm.matches ? "auto" : "smooth" });
		if (!going) return;
		going = false;
		if (narrow.matches) $("#side").scrollIntoView();
		mark.focus({ preventScroll: true });
	}
	/* A quote that is in focus already needs no server, only to be seen again. */
	function openHere(data) {
		const pane = $("#reader .pane");
		if (!pane || data.n === undefined || pane.dataset.turn !== data.turn) return false;
		const mark = pane.querySelector(`mark.is-focus[data-n="${CSS.escape(data.n)}"]`);
		if (mark) show(mark);
		return Boolean(mark);
	}
	function back() {
		const turns = document.querySelectorAll("#turns .turn");
		(turns[turns.length - 1] || $("#turns")).scrollIntoView({ behavior: calm.matches ? "auto" : "smooth" });
	}

	/* the conversation */
	let numberSeen = -1;
	function newest() {
		const last = $("#turns .turn:last-child");
		const number = last ? Number(last.dataset.number) : -1;
		const more = number > numberSeen; // not when a summary grows, the language changes or a file was added
		numberSeen = number;
		if (!more) return;
		cameFrom = null;
		going = false;
		tab("read");
		goToWanted();
		last.scrollIntoView({ block: "start", behavior: calm.matches ? "auto" : "smooth" });
	}
	function ask(text) {
		const box = $("#question textarea");
		box.value = text;
		box.dispatchEvent(new Event("input", { bubbles: true }));
		setTimeout(() => $("#question button.submit-button")?.click(), 0);
	}

	/* notes that come and go */
	function say(text, seconds = 1.8) {
		const note = $("#note") || document.body.appendChild(Object.assign(document.createElement("div"), { id: "note" }));
		note.setAttribute("role", "status");
		note.textContent = text;
		note.classList.add("is-shown");
		clearTimeout(say.timer);
		say.timer = setTimeout(() => note.classList.remove("is-shown"), 1000 * seconds);
	}
	async function copy(text) {
		const { copied, copyFailed } = $(".top").dataset;
		try {
			await navigator.clipboard.writeText(text);
			say(copied);
		} catch { // on an address that is not https the browser gives no clipboard
			window.prompt(copyFailed, text);
		}
	}

	/* files on their way in: what the server would refuse does not travel first */
	function adding() {
		const { label } = $("#adding .adding")?.dataset ?? {};
		if (label) $("#files button")?.setAttribute("aria-label", label);
	}
	function refusal(file, { suffixes, limit, badType, tooBig }) {
		const suffix = /\.[^.]+$/.exec(file.name.toLowerCase())?.[0];
		if (!suffix || !suffixes.split(" ").includes(suffix)) return badType;
		return file.size > Number(limit) ? tooBig.replace("{size}", file.size.toLocaleString("en")) : "";
	}
	function screen(event, list) {
		const rules = $("#adding .adding")?.dataset;
		if (!rules || !list?.length) return;
		const good = new DataTransfer();
		const lines = [];
		for (const file of list) {
			const reason = refusal(file, rules);
			if (!reason) { good.items.add(file); continue; }
			const line = document.createElement("li");
			line.className = "is-skipped";
			line.append(Object.assign(document.createElement("b"), { textContent: file.name }),
				Object.assign(document.createElement("span"), { textContent: reason }));
			lines.push(line);
		}
		const box = $("#refused") || Object.assign(document.createElement("ul"), { id: "refused", className: "reports" });
		box.setAttribute("role", "status");
		$("#files").after(box);
		box.replaceChildren(...lines);
		if (!lines.length) return;
		event.preventDefault();
		event.stopImmediatePropagation();
		const input = $("#files input[type=file]");
		event.target.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
		input.files = good.files;
		if (good.files.length) input.dispatchEvent(new Event("change", { bubbles: true }));
	}
	document.addEventListener("change", (event) => {
		if (event.target.matches?.("#files input[type=file]") && event.isTrusted) screen(event, [...event.target.files]);
	}, true);
	document.addEventListener("drop", (event) => {
		if (event.target.closest?.("#files")) screen(event, [...(event.dataTransfer?.files ?? [])]);
	}, true);

	/* files on their way out */
	function receive(props, watch) {
		watch("value", () => {
			if (!props.value) return;
			const file = JSON.parse(props.value);
			const bytes = Uint8Array.from(atob(file.data), (c) => c.charCodeAt(0));
			const a = document.createElement("a");
			a.href = URL.createObjectURL(new Blob([bytes], { type: file.type }));
			a.download = file.name;
			a.click();
			setTimeout(() => URL.revokeObjectURL(a.href), 10000);
		});
	}

	/* what the browser knows on load: the remembered language, and a link's question and place */
	function link() {
		const named = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
		if (location.hash) history.replaceState(null, "", location.pathname);
		return named;
	}
	const told = () => JSON.stringify({ ...link(), language: kept.get("language") || "zh" });
	/* a link followed where the page is open already: a turn more, nothing of the conversation is lost */
	let wanted = null; // the place to open once its question is answered
	addEventListener("hashchange", () => {
		const { q, s, at } = link();
		wanted = s ? { s, at } : null;
		if (q) ask(q); else goToWanted();
	});
	function goToWanted() {
		if (wanted) send($("#reader .pane"), "open", wanted);
		wanted = null;
	}

	/* after the load event: what the browser told is on the page */
	function arrived() {
		language();
		document.body.classList.add("is-arrived");
	}

	/* Answers left on the server. It closes the stream of answers when none is due; gradio opens no other for an event
	   that the server took on before the browser had read so, and its answer waits until another event opens one.
	   So what was taken on and what was answered is counted, and where something is missing a stream is asked for. */
	const due = new Map(); // event -> times a stream was asked for it
	const early = new Set(); // answered before the browser had read that they were taken on
	let streams = 0;
	const awaited = new Set(); // of those, what the reader has just asked for, and not what the page does by itself
	let touched = -Infinity;
	for (const kind of ["click", "keydown", "change"]) {
		document.addEventListener(kind, () => { touched = performance.now(); }, true);
	}
	const waiting = () => document.body.classList.toggle("is-waiting", [...awaited].some((event) => due.get(event) < 2));
	const plainFetch = window.fetch;
	window.fetch = async (...request) => {
		const { pathname } = new URL(request[0].url ?? request[0], location);
		const asks = pathname.endsWith("/queue/join");
		const response = await plainFetch(...request).catch((error) => {
			if (asks) fault("offline");
			throw error;
		});
		if (asks && !response.ok) fault(response.status === 401 ? "signedOut" : "failed");
		if (response.ok && asks) {
			const { event_id: event } = await response.clone().json();
			if (!early.delete(event)) {
				due.set(event, 0);
				if (performance.now() - touched < 1000) awaited.add(event);
			}
		}
		waiting();
		if (response.ok && pathname.endsWith("/queue/data")) follow(response.clone().body.getReader());
		return response;
	};
	const fault = (what) => say($(".top")?.dataset[what] ?? "", 8);
	async function follow(reader) {
		const decoder = new TextDecoder();
		let text = "";
		streams += 1;
		try {
			for (let part; !(part = await reader.read()).done;) {
				const lines = (text + decoder.decode(part.value, { stream: true })).split("\n");
				text = lines.pop();
				for (const line of lines) {
					const message = line.startsWith("data:") ? JSON.parse(line.slice(5)) : {};
					if (message.msg !== "process_completed") continue;
					if (!due.delete(message.event_id)) early.add(message.event_id);
					awaited.delete(message.event_id);
					if (!message.success) fault("failed");
				}
				waiting();
			}
		} catch { /* gradio cut the stream off, as it does with one that is closed */ }
		streams -= 1;
		setTimeout(fetchLeft, 200); // by then gradio has opened the stream of an event that came after the closing
	}
	function fetchLeft() {
		if (streams) return;
		const left = [...due].filter(([, times]) => times < 2);
		for (const [event, times] of left) due.set(event, times + 1);
		waiting();
		if (left.length) send($("#top .top"), "stream", {});
	}

	/* one listener a kind for everything inside the parts */
	document.addEventListener("click", (event) => {
		const target = event.target instanceof Element ? event.target : null;
		for (const open of document.querySelectorAll("details.menu[open]")) {
			if (!open.contains(target) || target.closest(".item")) open.open = false;
		}
		const button = target?.closest("button");
		if (!button) return;
		const data = { ...button.dataset };
		if (data.copy !== undefined) return copy(data.copy);
		if (data.link !== undefined) return copy(location.origin + location.pathname + data.link);
		if (data.ask !== undefined) return ask(data.ask);
		if (data.theme === "toggle") {
			const next = root.dataset.theme === "dark" ? "light" : "dark";
			kept.set("theme", next);
			return theme(next);
		}
		if (data.toggle === "back") return back();
		if (data.toggle === "question") return $("#question textarea")?.focus();
		if (data.toggle) return toggle(data.toggle);
		if (data.act === undefined) return;
		const { act, ...rest } = data;
		if (act === "open") {
			cameFrom = button;
			going = true;
			tab("read");
			if (openHere(rest)) return;
		}
		taken = act === "remove";
		send(button, act, rest);
	});
	let taken = false; // a gazette is being taken out: the way back is then in focus
	/* a menu that would be cut off below opens upwards */
	document.addEventListener("toggle", (event) => {
		const menu = event.target;
		if (!menu.matches?.("#turns details.menu[open]")) return;
		menu.classList.remove("is-up");
		const floor = narrow.matches ? $("#composer").getBoundingClientRect().top : $("#turns").getBoundingClientRect().bottom;
		const roof = narrow.matches ? 0 : $("#turns").getBoundingClientRect().top;
		const items = menu.querySelector(".menu-items").getBoundingClientRect();
		const above = menu.getBoundingClientRect().top - items.height - 4;
		if (items.bottom > floor && above > roof) menu.classList.add("is-up");
		else if (items.bottom > floor && !narrow.matches) $("#turns").scrollBy(0, items.bottom - floor + 8);
	}, true);
	document.addEventListener("change", (event) => {
		const select = event.target.closest?.("select[data-act]");
		if (select) send(select, select.dataset.act, { field: select.dataset.field, value: select.value });
	});
	document.addEventListener("submit", (event) => {
		const form = event.target.closest("form[data-act]");
		if (!form) return;
		event.preventDefault();
		send(form, form.dataset.act, { ...form.dataset, ...Object.fromEntries(new FormData(form)) });
		const menu = form.closest("details");
		if (!menu) return;
		menu.open = false;
		menu.querySelector("summary").focus();
	});
	function tab(name) {
		const at = { read: 0, ledgers: 1, library: 2 }[name];
		const button = document.querySelectorAll("#tabs [role=tab]")[at];
		if (button && button.getAttribute("aria-selected") !== "true") button.click();
	}
	function toggle(name) {
		const box = $("#reader ." + name);
		if (!box) return;
		box.hidden = !box.hidden;
		$(`#reader [data-toggle=${name}][aria-expanded]`)?.setAttribute("aria-expanded", String(!box.hidden));
		if (!box.hidden) (box.querySelector("[aria-current]") || box.querySelector("button")).focus();
	}

	/* keys; Enter that ends an input method's composition is not an answer to send */
	document.addEventListener("keydown", (event) => {
		if (event.isComposing || event.keyCode === 229) {
			if (event.key === "Enter") event.stopImmediatePropagation();
			return;
		}
		const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
		if (event.key === "Escape") {
			const menu = $("details.menu[open]");
			const drawer = $("#reader .contents:not([hidden])");
			if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
			else if (drawer) toggle("contents");
			else if (cameFrom?.isConnected) { cameFrom.focus(); cameFrom = null; }
			else $("#question textarea")?.focus();
			return;
		}
		if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
		const press = (selector) => { const it = $(selector); if (it && !it.disabled) { event.preventDefault(); it.click(); } };
		if (event.key === "/") { event.preventDefault(); $("#question textarea")?.focus(); }
		else if (event.key === "[") press(".quotes [data-step='-1']");
		else if (event.key === "]") press(".quotes [data-step='1']");
		else if (event.key === "t") press(".bar [data-toggle=contents]");
	}, true);

	return { wire, receive, told, arrived };
})();
