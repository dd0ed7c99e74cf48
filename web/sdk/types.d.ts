/** The shapes and contracts of the SDK. Read by the type checker and by people; never served. */

/** A component that a guide may ask for. The SDK draws the first four; the others are the page's to draw. */
export type Component = 'tooltip' | 'hotspot' | 'banner' | 'modal' | 'checklist' | 'headless';

export interface Options {
  /** Who the user is, as the product definition demands it (`userId: uuid | any`). */
  userId: string;
  /**
   * The id under which this user came before signing up: one that begins with `anon-`. Sent with every event, so that the server
   * makes the two one person.
   */
  anonymousId?: string;
  /** The server's origin. Default: where `/sdk.js` came from. */
  endpoint?: string;
  /** A publishable key. A server under `--dev` needs none. */
  key?: string;
  /** The product's id, where one `--dev` server holds several. */
  product?: string;
  /** A signed user (JWT, HS256, `sub` is the user id), where the key demands one. */
  userToken?: string;
  /** The page's own session id. Default: kept in sessionStorage, a new one after 30 idle minutes. */
  sessionId?: string;
  /** The version of the page's product, as routes and targets name it. */
  appVersion?: string;
  /** A BCP 47 tag. Default: the document's language, else the browser's. */
  locale?: string;
  /** What this page can show. Default: tooltip, hotspot, banner, modal; with `headless`, all six. */
  components?: Component[];
  /** Draw nothing, hand every guide to `onGuide`. */
  headless?: boolean;
  /** What a screen reader calls the × of a guide. Default: "Close". */
  closeLabel?: string;
  /** Called with every guide before it is drawn; return true to draw it yourself and report through the handle. */
  onGuide?: (guide: Guide, handle: Handle) => boolean | void;
  /** Called with every decision, also with those to show nothing. */
  onDecision?: (decision: Decision) => void;
  /** Called with every fault that the SDK survives. */
  onError?: (fault: Fault) => void;
  /** Moves to a path of the same origin, also when the page is there already. Default: `location.assign`. */
  navigate?: (path: string, guide: Guide) => void;
}

export interface Client {
  /** The session that an event tracked now belongs to. */
  readonly sessionId: string;
  /**
   * Queues one event; gives its id. Never throws, never waits for the network. Any event but page_view, button_click and
   * tooltip_dismiss takes down the guide on screen: what it says may no longer be true.
   */
  track(type: string, payload?: object, attributes?: object): string;
  /**
   * Sets attributes. Another `userId` makes the client that user's from here on; where the one before begins with `anon-`, both
   * are one person.
   */
  identify(userId: string, attributes?: object): void;
  /** Tells of a page view that the address does not show. */
  page(): void;
  /** Asks for a guide as soon as the user is free; undefined where one is on screen, events wait, or no answer came. */
  decide(): Promise<Decision | undefined>;
  /** Sends what is queued, takes down the guide, listens to nothing any more. */
  stop(): void;
}

export interface Guide {
  id: string;
  variant: string;
  component: Component;
  target?: { path?: string; anchor?: string | null } | null;
  copy: { title?: string; body?: string; cta?: string; locale?: string };
  action?: { path?: string | null } | null;
  milestone?: string;
}

export interface Decision {
  decisionId: string;
  outcome: 'show' | 'withhold';
  reason?: string;
  guide?: Guide;
  expiresAt?: string;
}

/** How a page that draws a guide itself reports what became of it. */
export interface Handle {
  decisionId: string;
  /** Counts once. */
  shown(): void;
  /** Counts as shown, too. */
  clicked(): void;
  /** Reason `close` (the default) counts as shown, too; with another it is reported only if the guide was shown. */
  dismissed(reason?: string): void;
}

/**
 * `rejected`: the server refused this event, it is dropped. `refused`: it refused a whole batch (dropped) or the key (kept).
 * `unreachable`: events wait for the next try. `queue_full`: an event was dropped. `bad_action`: a guide would lead off
 * this origin. `undrawable`: nobody draws the component. `anchor_…`: the target is not there, not visible or not unique.
 */
export interface Fault {
  code: 'rejected' | 'refused' | 'unreachable' | 'queue_full' | 'bad_action' | 'undrawable' | AnchorFault;
  eventId?: string;
  guideId?: string;
  status?: number;
  /** What the server said. */
  details?: unknown;
}

export type AnchorFault = 'anchor_missing' | 'anchor_hidden' | 'anchor_ambiguous';

export interface Context {
  path: string;
  appVersion?: string;
  locale: string;
  timezone?: string;
}

export interface QueuedEvent {
  eventId: string;
  userId: string;
  anonymousId?: string;
  sessionId: string;
  eventType: string;
  /** RFC 3339, by the browser's clock. */
  timestamp: string;
  payload?: object;
  attributes?: object;
  context: Context;
}

/** The server's word on one event of a batch. */
export interface Result {
  status: 'queued' | 'duplicate' | 'rejected';
  code?: string;
  details?: unknown;
}

// queue.js

export type Store = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>;

export interface Entry {
  key: string;
  event: QueuedEvent;
}

export interface Queue {
  push(event: QueuedEvent): void;
  /** The oldest wanted events that fit into one request; at least one where there is one. */
  peek(wanted: (event: QueuedEvent) => boolean): Entry[];
  remove(entries: Entry[]): void;
}

/** `prefix` is what this queue's keys begin with; `onLost` hears of each event that gave way to a newer one. */
export type OpenQueue = (prefix: string, store: Store, onLost: (eventId: string) => void) => Queue;

// sender.js

/** Milliseconds until the next try: exponential, full jitter, never less than the server's `Retry-After` (seconds). */
export type Backoff = (attempt: number, random: number, retryAfter: string | null) => number;

/** What a status (0: no answer) means for a whole batch: answered, try again, hopeless as it is, or the key is refused. */
export type Verdict = (status: number) => 'ok' | 'retry' | 'drop' | 'halt';

export interface Sender {
  /** An event was queued: gather its neighbours, then send, unless a back-off is running. */
  soon(): void;
  /** The network is back: forget the back-off. */
  now(): void;
  /** The page may not live on: what is not under way goes now, and stays queued since nobody hears the answer. */
  last(): void;
  /** One more try; what fails waits for the next client. */
  stop(): void;
}

export type OpenSender = (setup: {
  queue: Queue;
  post: (path: string, body: string) => Promise<Response>;
  beacon: (path: string, body: string) => void;
  /** Which events may go with this client's credentials. */
  wanted: (event: QueuedEvent) => boolean;
  onAccepted: (events: QueuedEvent[]) => void;
  onError: (fault: Fault) => void;
}) => Sender;

// unheard.js

/** Tells the page's author, in the console, of an origin that is not listed. */
export type Explain = (endpoint: string) => Promise<void>;

// moments.js

/** Calls back whenever the path changes, however the page did it. */
export type WatchPath = (onPath: () => void, signal: AbortSignal) => void;

/** Gives a function whose promise resolves once the user may be disturbed, and never after the signal. */
export type WatchUser = (signal: AbortSignal) => () => Promise<void>;

/** The session's id, the same until `now` (milliseconds) is half an hour after the last call. */
export type SessionId = (key: string, store: Store, now: number) => string;

// guide.js

/** Puts a guide on the page until the controller aborts; gives what stood in the way, if anything. */
export type Present = (guide: Guide, handle: Handle, options: Options, ending: AbortController) => Promise<Fault['code'] | undefined>;

// place.js

/** The only usable match of a selector, or why there is none. */
export type Look = (selector: string) => Element | AnchorFault;

/** Looks until there is one, for at most three seconds. */
export type Find = (selector: string, signal: AbortSignal) => Promise<Element | AnchorFault>;

/** Calls back, at most once a frame, after the page has changed. */
export type OnMutation = (callback: () => void, signal: AbortSignal) => void;

/** The path as it is, or undefined for anything that could lead off the origin. */
export type OwnPath = (path: string | null | undefined, origin: string) => string | undefined;

interface Size { width: number; height: number }

/** Where a box goes beside an anchor: below it, or above where there is no room, and towards the side that has more room. */
export type Fit = (anchor: { left: number; right: number; top: number; bottom: number }, box: Size, view: Size) => { top: number; left: number };

/**
 * Shows the host in the top layer, beside the anchor where there is one, until the signal. It is hidden for as long as a menu
 * or a dialog of the page is open where it stands.
 */
export type Show = (host: HTMLElement, anchor: Element | undefined, signal: AbortSignal) => void;

// draw.js

/** Draws a guide until the signal; says when it is truly seen, followed or dismissed. */
export type Draw = (guide: Guide, anchor: Element | undefined, closeLabel: string, on: {
  shown: () => void;
  clicked: (event: MouseEvent) => void;
  dismissed: (reason: string) => void;
}, signal: AbortSignal) => void;

/** Focuses the element or the first thing in it that takes the focus, for everybody to see; gives what it focused. */
export type Focus = (around: Element | null | undefined) => Element | null | undefined;

/** A polite live region; the function speaks through it. */
export type OpenVoice = (signal: AbortSignal) => (text: string, lang?: string) => void;
