// The knowledge of the example bot, one script for each example chatbot. Entry 1003 needs a person.

export const STUCK = '1003';

const ORDERS = {
  thing: 'order',
  is: /\b(orders?|parcel|package|delivery|shipment|shipping|bestellung|paket)\b/i,
  known: {
    1001: 'was delivered yesterday at 14:10 and is with your neighbour.',
    1002: 'left the warehouse this morning and should arrive tomorrow.',
    1003: 'is stuck: the payment was taken, but the order was never confirmed. A colleague can put that right.',
  },
  hours: 'We are open Monday to Friday from 9:00 to 18:00, and on Saturday from 10:00 to 14:00. I never close.',
  refund: 'Returns are free for 30 days. For the label I need a colleague. Shall I fetch one?',
  ask: { where: 'Where is order 1002?', refund: 'I want to return something', detail: 'It is about order 1003' },
};

const BOOKINGS = {
  thing: 'booking',
  is: /\b(bookings?|trip|flight|hotel|train|reservation|buchung|reise)\b/i,
  known: {
    1001: 'is confirmed: Vienna to Lisbon on Friday, seat 14A.',
    1002: 'is confirmed, and check-in opens tomorrow at 8:00.',
    1003: 'is stuck: the hotel took the payment but never confirmed. A colleague can put that right.',
  },
  hours: 'Our travel agents are there every day from 8:00 to 20:00. I never close.',
  refund: 'Most bookings can be cancelled until the day before. A colleague has to do it. Shall I fetch one?',
  ask: { where: 'What about booking 1002?', refund: 'I want to cancel my trip', detail: 'It is about booking 1003' },
};

export const tradeOf = chatbotName => (/travel|trip|flight|hotel|booking/i.test(chatbotName) ? BOOKINGS : ORDERS);
