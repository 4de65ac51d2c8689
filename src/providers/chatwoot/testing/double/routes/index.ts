import { automationRoutes } from './automations';
import { contactRoutes } from './contacts';
import { conversationListRoutes } from './conversation-lists';
import { conversationRoutes } from './conversations';
import { fileRoutes } from './files';
import { inboxRoutes } from './inboxes';
import { messageRoutes } from './messages';
import { notificationRoutes } from './notifications';
import { peopleRoutes } from './people';
import { platformRoutes } from './platform';
import { publicRoutes } from './public';
import { sessionRoutes } from './sessions';
import { settingsRoutes } from './settings';
import type { Route } from '../http/router';

/** Lists come before single conversations, whose path would also match `meta` and `search`. */
export const allRoutes: Route[] = [
  ...platformRoutes,
  ...sessionRoutes,
  ...conversationListRoutes,
  ...conversationRoutes,
  ...messageRoutes,
  ...contactRoutes,
  ...inboxRoutes,
  ...peopleRoutes,
  ...settingsRoutes,
  ...automationRoutes,
  ...notificationRoutes,
  ...publicRoutes,
  ...fileRoutes,
];
