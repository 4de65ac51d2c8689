import { botMayAnswer, controlFor } from '../../../src/core/control';
import { HandoffTransitionRefusedError } from '../../../src/core/errors';
import { canMove, HANDOFF_CAUSES, HANDOFF_TRANSITIONS, nextState } from '../../../src/core/handoff-transitions';
import { FINAL_STATES, HANDOFF_STATES, isLive, isOpen } from '../../../src/core/handoff';

describe('the handoff state machine', () => {
  const pairs = HANDOFF_STATES.flatMap(state => HANDOFF_CAUSES.map(cause => [state, cause] as const));

  it.each(pairs)('in %s, on %s, follows the transition table or is refused by name', (state, cause) => {
    const to = HANDOFF_TRANSITIONS[state][cause];
    expect(canMove(state, cause)).toBe(to !== undefined);
    if (to !== undefined) {
      expect(nextState(state, cause)).toBe(to);
      return;
    }
    let refusal: unknown;
    try {
      nextState(state, cause);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(HandoffTransitionRefusedError);
    expect(refusal).toMatchObject({ code: 'HANDOFF_TRANSITION_REFUSED', from: state, cause_: cause });
    expect((refusal as Error).message).toContain(state);
    expect((refusal as Error).message).toContain(cause);
  });

  it('goes from request to end', () => {
    const story = ['PROVIDER_ACCEPTED', 'ASSIGNED', 'AGENT_REPLIED', 'SNOOZED', 'UNSNOOZED', 'END', 'DRAINED'] as const;
    const states = story.reduce<(typeof HANDOFF_STATES)[number][]>(
      (path, cause) => [...path, nextState(path.at(-1)!, cause)],
      ['REQUESTED'],
    );
    expect(states).toEqual(['REQUESTED', 'QUEUED', 'ASSIGNED', 'ACTIVE', 'ON_HOLD', 'ACTIVE', 'ENDING', 'ENDED']);
  });

  it('never leaves a final state', () => {
    for (const state of FINAL_STATES)
      for (const to of Object.values(HANDOFF_TRANSITIONS[state])) expect(to).toBe(state);
  });

  it('can end from every open state; a second end changes nothing', () => {
    for (const state of HANDOFF_STATES.filter(isOpen)) expect(nextState(state, 'END')).toBe('ENDING');
    expect(nextState('ENDING', 'END')).toBe('ENDING');
    expect(nextState('ENDED', 'END')).toBe('ENDED');
  });

  it('reaches every state from REQUESTED', () => {
    const reached = new Set<string>(['REQUESTED']);
    for (let grew = true; grew; ) {
      const before = reached.size;
      for (const state of HANDOFF_STATES)
        if (reached.has(state)) for (const to of Object.values(HANDOFF_TRANSITIONS[state])) reached.add(to);
      grew = reached.size > before;
    }
    expect([...reached].sort()).toEqual([...HANDOFF_STATES].sort());
  });
});

describe('control', () => {
  it('belongs to the bot exactly when no handoff is live', () => {
    expect(controlFor(undefined)).toBe('BOT');
    for (const state of HANDOFF_STATES) expect(controlFor(state) === 'BOT').toBe(!isLive(state));
  });

  it('stays with the human agent while a handoff is ending', () => {
    expect(controlFor('ENDING')).toBe('HUMAN');
  });

  it('lets the bot speak while end-users wait for an agent only if the policy allows it', () => {
    expect(botMayAnswer('NONE', 'SILENT')).toBe(false);
    expect(botMayAnswer('NONE', 'BOT_MAY_ANSWER')).toBe(true);
    expect(botMayAnswer('HUMAN', 'BOT_MAY_ANSWER')).toBe(false);
    expect(botMayAnswer('BOT', 'SILENT')).toBe(true);
  });
});
