import type { SharedVersion } from './shared-replay';
import {
  contactScript,
  creationScript,
  deliveryStateScript,
  handlingScript,
  listScript,
  messageScript,
} from './script-conversation';
import {
  agentBotScript,
  deletionScript,
  demotionScript,
  limitScript,
  outageScript,
  presenceScript,
  publicScript,
  surveyScript,
} from './script-rest';
import { authScript, inboxScript, peopleScript, platformScript, settingsScript } from './script-setup';
import { playedIn, type Step } from './script';

/** The recorded server's history in its order: later acts depend on earlier ones. */
export const REPLAY_SCRIPTS: Readonly<Record<string, Step[]>> = {
  'the Platform API': platformScript,
  'signing in': authScript,
  agents: peopleScript,
  inboxes: inboxScript,
  'teams, labels, bots and webhooks': settingsScript,
  contacts: contactScript,
  'new conversations': creationScript,
  messages: messageScript,
  'handling a conversation': handlingScript,
  'delivery states': deliveryStateScript,
  lists: listScript,
  'an inbox with an agent bot': agentBotScript,
  'the bridge demoted to agent': demotionScript,
  'the public API': publicScript,
  surveys: surveyScript,
  deletions: deletionScript,
  'presence and suspension': presenceScript,
  limits: limitScript,
  outages: outageScript,
};

/** Recorded in May on a build before 4.14.2; replayed with the signed webhooks. */
export const FIRST_OF_4_14 = [
  'agent_bots.list.200.json',
  'conversations.toggle_status.bad.500.json',
  'inboxes.get.200.json',
  'webhooks.list.200.json',
];

/** Returns the files that the scripts of the first recordings replay. */
export const recordingsPlayed = (version: SharedVersion): readonly string[] =>
  version === '4.10' ? Object.values(REPLAY_SCRIPTS).flatMap(playedIn) : FIRST_OF_4_14;
