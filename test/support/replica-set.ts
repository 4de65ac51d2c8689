import { randomBytes } from 'node:crypto';
import { SupportClient } from '../../examples/support-client';
import { startReplica, type Replica } from './replica';

const secret = (): string => randomBytes(32).toString('hex');

/** Several replicas of one service, and clients that are authenticated at each of them. */
export class ReplicaSet {
  readonly replicas: Replica[] = [];
  private readonly clients: SupportClient[] = [];
  private readonly gatewaySecret = secret();
  private readonly botKeys: ReadonlyMap<string, string>;
  private readonly env: Readonly<Record<string, string>>;

  constructor(
    private readonly databaseUrl: string,
    organizations: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    this.botKeys = new Map(organizations.map(organization => [organization, secret()]));
    this.env = {
      SUPPORT_SECRET_KEY: secret(),
      SUPPORT_GATEWAY_SECRET: this.gatewaySecret,
      SUPPORT_EXAMPLE: 'off',
      // The support system and the runtimes of tests run on this machine.
      SUPPORT_ALLOW_PRIVATE_ADDRESSES: 'all',
      SUPPORT_BOT_KEYS: [...this.botKeys].map(([organization, key]) => `${organization}=${key}`).join(','),
      ...env,
    };
  }

  /** @param port the previous port, for a replica that restarts */
  async add(port?: number): Promise<Replica> {
    const replica = await startReplica({
      databaseUrl: this.databaseUrl,
      env: this.env,
      ...(port === undefined ? {} : { port }),
    });
    this.replicas.push(replica);
    return replica;
  }

  gateway(organization: string): Readonly<Record<string, string>> {
    return { 'x-support-gateway-secret': this.gatewaySecret, 'x-organization-id': organization };
  }

  operator(replica: Replica, organization: string): SupportClient {
    return this.client(replica, this.gateway(organization));
  }
  bot(replica: Replica, organization: string): SupportClient {
    return this.client(replica, { authorization: `Bearer ${this.botKeys.get(organization)}` });
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map(client => client.close()));
    await Promise.all(this.replicas.map(replica => replica.stop()));
  }

  private client(replica: Replica, headers: Readonly<Record<string, string>>): SupportClient {
    const client = new SupportClient({ url: `${replica.url}/graphql`, headers });
    this.clients.push(client);
    return client;
  }
}
